"""What a PKCS#11 token can and cannot do, and whether a key service answers."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cardkit.doctor.finding import Finding, fail, ok, warn
from cardkit.errors import CardkitError
from cardkit.keys.pkcs11 import Pkcs11KeyStore
from cardkit.keys.remote_tls import open_remote
from cardkit.keys.token_settings import PinSource, read_settings

TOKEN: Final = "token"  # noqa: S105 - the name of a device
KEY_SERVICE: Final = "key service"


def check_token(path: Path, pin: PinSource | None = None) -> list[Finding]:
    """Open a token and try out what card keys need; it is left as it was.

    Parameters
    ----------
    path : Path
        Its settings (`cardkit.keys.token_settings`).
    pin : callable, optional
        Instead of the PIN file of the settings. Without either the token is not opened.
    """
    try:
        settings, from_file = read_settings(path)
        source = pin or from_file
        if source is None:
            remedy = "name a pin_file in its settings to have it tried out"
            return [warn(TOKEN, f"token {settings.token}: its PIN is asked for, not tried", remedy)]
        with Pkcs11KeyStore(settings, source) as store:
            keys, abilities = store.list_keys(), store.capabilities()
    except CardkitError as error:
        return [fail(TOKEN, error.message, error.hint)]
    name = f"token {settings.token}"
    kind = ", for TEST only" if settings.test else ""
    findings = [ok(TOKEN, f"{name}: {len(keys)} keys{kind}")]
    findings += [
        fail(TOKEN, f"{name}: {ref} can be extracted", "make it anew, not extractable")
        for ref, attributes in keys
        if attributes.extractable or not attributes.sensitive
    ]
    findings += [
        ok(TOKEN, f"{name} can: {what} ({remark})")
        if can
        else warn(TOKEN, f"{name} cannot: {what}", remark)
        for what, can, remark in abilities
    ]
    return findings


def check_key_service(path: Path) -> list[Finding]:
    """Ask a key service who we are to it.

    Parameters
    ----------
    path : Path
        Where it is (`cardkit.keys.remote_settings`).
    """
    try:
        with open_remote(path) as store:
            client = store.greet()
    except CardkitError as error:
        return [fail(KEY_SERVICE, error.message, error.hint)]
    return [ok(KEY_SERVICE, f"answers client {client}")]
