"""A SoftHSM2 token of a test's own, and stores over it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cardkit.keys import Factors
from cardkit.keys.pkcs11 import Pkcs11KeyStore
from cardkit.keys.soft import SoftKeyStore
from cardkit.keys.token_settings import TokenSettings

LABEL, PIN, SO_PIN = "cards", "471108", "815004"

_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
)
MODULE = next((path for path in _MODULES if Path(path).exists()), _MODULES[0])
SPY = next(
    (str(path) for path in Path("/usr/lib").glob("*/pkcs11-spy.so")),
    "/usr/lib64/pkcs11-spy.so",
)


@dataclass(frozen=True)
class Softhsm:
    """A token in a folder; SOFTHSM2_CONF points there."""

    folder: Path
    settings: TokenSettings

    @contextmanager
    def store(self, pin: str = PIN, **changes: object) -> Iterator[Pkcs11KeyStore]:
        """A store over it, with other settings where wanted."""
        settings = replace(self.settings, **changes)  # type: ignore[arg-type]
        with Pkcs11KeyStore(settings, lambda: pin) as store:
            yield store

    def pull(self) -> None:
        """Take the token away."""
        (self.folder / "tokens").rename(self.folder / "pulled")

    def put_back(self) -> None:
        """And bring it back."""
        (self.folder / "pulled").rename(self.folder / "tokens")


def make_token(folder: Path, pin: str = PIN) -> Softhsm:
    """Make a token; the caller sets SOFTHSM2_CONF to ``folder/softhsm2.conf`` afterwards."""
    (folder / "tokens").mkdir(parents=True)
    configuration = configure(folder)
    tool = shutil.which("softhsm2-util")
    if tool is None:
        pytest.fail("softhsm2-util is missing: apt-get install softhsm2")
    command = [tool, "--init-token", "--free", "--label", LABEL, "--pin", pin, "--so-pin", SO_PIN]
    environment = {**os.environ, "SOFTHSM2_CONF": str(configuration)}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return Softhsm(folder, TokenSettings(MODULE, LABEL, test=True))


def configure(folder: Path) -> Path:
    """Write the configuration of a token that lies in a folder."""
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    return configuration


def import_all(store: Pkcs11KeyStore, keys: SoftKeyStore) -> None:
    """Every key of a store of test keys, into a token."""
    for name in keys.names():
        ref = keys.reference(name)
        batch = keys.derive_many(ref, Factors())
        value = batch._key(0)
        store.import_key(name, ref.version, value, check_value=ref.check_value)
