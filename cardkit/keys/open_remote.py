"""Open a store whose keys are elsewhere: ``pkcs11:FILE`` and ``remote:FILE``.

FILE is beside the profile or absolute: settings of a token (`cardkit.keys.token_settings`) or of a
key service (`cardkit.keys.remote_settings`). Records and audit log of a token lie beside its
settings, ``FILE.records`` and ``FILE.audit``; those of a service are its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cardkit.errors import UsageError
from cardkit.keys.audit import AuditLog, Clock
from cardkit.keys.gate import GATE
from cardkit.keys.guarded import GuardedStore
from cardkit.keys.open_store import OpenedStore, check_test_mark, pinned
from cardkit.keys.pkcs11 import Pkcs11KeyStore
from cardkit.keys.remote_client import RemoteKeyStore
from cardkit.keys.remote_tls import open_remote
from cardkit.keys.token_records import TokenRecords
from cardkit.keys.token_settings import PinSource, TokenSettings, read_settings
from cardkit.profile import Profile

PKCS11 = "pkcs11:"
REMOTE = "remote:"


@dataclass(frozen=True, slots=True)
class Token:
    """A token with what lies beside its settings.

    Parameters
    ----------
    settings : TokenSettings
    store : Pkcs11KeyStore
        Without policy and audit: for custodians.
    records : TokenRecords
    audit : AuditLog
    """

    settings: TokenSettings
    store: Pkcs11KeyStore
    records: TokenRecords
    audit: AuditLog

    @classmethod
    def open(
        cls,
        path: Path,
        clock: Clock,
        pin: PinSource | None = None,
        *,
        plain_loading: frozenset[str] = frozenset(),
        audit: Path | None = None,
    ) -> Token:
        """Read the settings; the token itself is opened with the first question.

        Parameters
        ----------
        pin : callable, optional
            Instead of the PIN file of the settings.
        audit : Path, optional
            Another place for the log.

        Raises
        ------
        UsageError
            The settings cannot be used, or nobody gives a PIN.
        SelfTestFailedError
            An algorithm does not compute its known answers.
        """
        settings, from_file = read_settings(path, plain_loading=plain_loading)
        source = pin or from_file
        if source is None:
            raise UsageError(
                f"nobody gives the PIN of token {settings.token}",
                hint="pin_file in its settings, --pin-file, or a terminal",
            )
        log = AuditLog(audit or path.with_name(path.name + ".audit"), clock)
        GATE.open_store(log)
        records = TokenRecords(path.with_name(path.name + ".records"))
        return cls(settings, Pkcs11KeyStore(settings, source), records, log)

    def guarded(self, actor: str, purpose: str = "") -> GuardedStore:
        """Its keys behind policy and audit."""
        return GuardedStore(
            self.store, self.records.book(), self.audit, self.audit.clock, actor, purpose=purpose
        )


def is_elsewhere(name: str) -> bool:
    """Whether ``keys.store`` of a profile names a token or a key service."""
    return name.startswith((PKCS11, REMOTE))


def open_elsewhere(
    name: str,
    folder: Path,
    clock: Clock,
    actor: str,
    *,
    purpose: str = "",
    pin: PinSource | None = None,
    plain_loading: frozenset[str] = frozenset(),
    audit: Path | None = None,
) -> GuardedStore | RemoteKeyStore:
    """Open ``pkcs11:FILE`` (guarded here) or ``remote:FILE`` (guarded by the service).

    Raises
    ------
    UsageError
        A file cannot be used.
    """
    if name.startswith(REMOTE):
        return open_remote(folder / name.removeprefix(REMOTE))
    path = folder / name.removeprefix(PKCS11)
    token = Token.open(path, clock, pin, plain_loading=plain_loading, audit=audit)
    return token.guarded(actor, purpose)


def settings_path(profile: Profile) -> Path:
    """The settings file that ``keys.store`` of a profile names."""
    name = profile.keys.store
    return profile.folder / name.removeprefix(PKCS11).removeprefix(REMOTE)


def open_profile(
    profile: Profile, clock: Clock, actor: str, *, purpose: str = "", pin: PinSource | None = None
) -> OpenedStore:
    """The store of a profile whose keys are elsewhere; the token or service is asked at once.

    Raises
    ------
    UsageError
        A file cannot be used.
    UnreachableError
        The token or the service is not there.
    RefusedError
        Wrong PIN or certificate; test keys and a real profile, or the other way round.
    """
    audit = profile.folder / profile.keys.audit if profile.keys.audit else None
    store = open_elsewhere(
        profile.keys.store,
        profile.folder,
        clock,
        actor,
        purpose=purpose,
        pin=pin,
        plain_loading=frozenset(profile.keys.plain_key_loading),
        audit=audit,
    )
    try:
        for name in store.names():
            check_test_mark(profile, test=store.reference(name).test)
    except BaseException:
        store.close()
        raise
    return pinned(store, profile)
