"""Open the key store that a profile names."""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from cardkit.errors import CardkitError, RefusedError, UsageError
from cardkit.keys.audit import AuditLog, Clock
from cardkit.keys.guarded import GuardedStore
from cardkit.keys.record_book import RecordBook, Standing
from cardkit.keys.reference import Factors, KeyRef, city_factor, province_factor
from cardkit.keys.soft import SoftKeyStore
from cardkit.keys.soft_file import KeyFile, Unlock
from cardkit.keys.soft_watch import USE, SoftWatch
from cardkit.keys.store import KeyBatch, KeyStore
from cardkit.profile import Profile

_PACKAGE = "package:"
_SOFT = "soft:"


class OpenedStore(KeyStore, Protocol):
    """A store of a profile."""

    def names(self) -> list[str]:
        """Names of the keys that can be used."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a store of real keys needs of whoever opens it.

    Parameters
    ----------
    unlock : Unlock
        Two custodians, or an agent.
    clock : callable
        Now, with a time zone.
    actor : str
        Operator; goes into the audit log.
    purpose : str
        What the keys are used for.
    """

    unlock: Unlock
    clock: Clock
    actor: str
    purpose: str = ""


def open_store(profile: Profile, access: Access | None = None) -> OpenedStore:
    """Return the store of ``keys.store``.

    Raises
    ------
    UsageError
        No such file, or not a key file; or custodians are needed and ``access`` is not given.
    RefusedError
        Test keys under a profile that is not marked as a test, or real keys under one that is.
    """
    store = _soft(profile, access) if is_soft(profile) else _test_keys(profile)
    return pinned(store, profile)


def is_soft(profile: Profile) -> bool:
    """Whether the store is an encrypted file that custodians open."""
    return profile.keys.store.startswith(_SOFT)


def soft_path(profile: Profile) -> Path:
    """Path of the encrypted file."""
    return profile.folder / profile.keys.store.removeprefix(_SOFT)


def audit_path(store: Path, audit: str = "", folder: Path = Path()) -> Path:
    """Where the audit log of a store is: beside it, unless the profile names another place."""
    return folder / audit if audit else store.with_name(store.name + ".audit")


def check_test_mark(profile: Profile, *, test: bool) -> None:
    """Keep test keys and real keys apart.

    Raises
    ------
    RefusedError
    """
    if test and not profile.test:
        raise RefusedError(
            f"profile {profile.name} is not marked as a test and names a file of test keys",
            hint="test keys protect nothing; set test = true only for synthetic cards",
        )
    if profile.test and not test:
        raise RefusedError(
            f"profile {profile.name} is marked as a test and names a store of real keys",
            hint="real keys do not go into test cards",
        )


def _soft(profile: Profile, access: Access | None) -> GuardedStore:
    path = soft_path(profile)
    if access is None:
        raise UsageError(
            f"{path} is opened by two custodians", hint="start `cardkit key agent`, or name files"
        )
    log = AuditLog(audit_path(path, profile.keys.audit, profile.folder), access.clock)
    file = KeyFile.open(path, access.unlock, log, actor=access.actor)
    try:
        check_test_mark(profile, test=file.test)
        plain = frozenset(profile.keys.plain_key_loading)
        return guarded(file, access, plain_loading=plain)
    finally:
        file.close()


def guarded(
    file: KeyFile, access: Access, *, plain_loading: frozenset[str] = frozenset()
) -> GuardedStore:
    """The keys of an open file behind policy and audit; the file can be closed afterwards."""
    content = file.content
    algorithms = {p: r.algorithm for p, r in content.records.items() if r.algorithm != "aes"}
    cards = {p: key.reveal() for p, key in content.keys.items() if p in algorithms}
    store = SoftKeyStore(cards, test=file.test, plain_loading=plain_loading, algorithms=algorithms)
    standing = Standing(content.records, content.roles.get(USE, ()))
    book = RecordBook(standing, SoftWatch(file), lambda place: store.forget(*place))
    return GuardedStore(store, book, file.audit, access.clock, access.actor, purpose=access.purpose)


def _test_keys(profile: Profile) -> SoftKeyStore:
    plain = frozenset(profile.keys.plain_key_loading)
    store = SoftKeyStore.from_file(_path(profile), plain_loading=plain)
    check_test_mark(profile, test=True)
    return store


def pinned(store: OpenedStore, profile: Profile) -> OpenedStore:
    """The store with the versions that a profile names, if it names any."""
    keys = profile.keys
    if not keys.version and not keys.versions:
        return store
    return PinnedStore(store, keys.version, keys.pinned())


class PinnedStore:
    """A store of which certain versions are used: for cards that were made with them.

    Parameters
    ----------
    store : OpenedStore
        Any store.
    version : int
        What `reference` gives when no version is asked for; 0 for the newest.
    versions : mapping
        The same of single keys, by name.
    """

    def __init__(
        self, store: OpenedStore, version: int, versions: Mapping[str, int] | None = None
    ) -> None:
        self._store = store
        self._version = version
        self._versions = dict(versions or {})

    def __repr__(self) -> str:
        single = "".join(f", {name} v{version}" for name, version in self._versions.items())
        return f"PinnedStore({self._store!r}, v{self._version}{single})"

    def names(self) -> list[str]:
        """See `OpenedStore`."""
        return self._store.names()

    def reference(self, name: str, version: int | None = None) -> KeyRef:
        """See `KeyStore`."""
        chosen = version or self._versions.get(name) or self._version
        return self._store.reference(name, chosen or None)

    def derive_many(self, ref: KeyRef, factors: Factors) -> KeyBatch:
        """See `KeyStore`."""
        return self._store.derive_many(ref, factors)

    def for_client(self, client: str) -> PinnedStore:
        """The same for a client of a service, where the store below keeps a log."""
        return PinnedStore(for_client(self._store, client), self._version, self._versions)

    def note_refusal(self, key: str, action: str, error: CardkitError) -> None:
        """Put a refusal on record, if the store below keeps a log."""
        getattr(self._store, "note_refusal", lambda *_: None)(key, action, error)

    def flush(self) -> None:
        """Write what the store below has counted, if it counts."""
        getattr(self._store, "flush", lambda: None)()

    def close(self) -> None:
        """Close the store, if it can be closed."""
        close = getattr(self._store, "close", None)
        if close is not None:
            close()


def for_client(store: OpenedStore, client: str) -> OpenedStore:
    """A store as a client of a service sees it: named in the log, where there is one."""
    seen = getattr(store, "for_client", None)
    return store if seen is None else cast("OpenedStore", seen(client))


def _path(profile: Profile) -> Path:
    name = profile.keys.store
    if not name.startswith(_PACKAGE):
        return profile.folder / name
    try:
        return Path(str(importlib.resources.files("keys_test") / name.removeprefix(_PACKAGE)))
    except ModuleNotFoundError:
        raise UsageError(
            "the test keys are not installed", hint="install cardkit from its own checkout"
        ) from None


def factors_above(profile: Profile) -> tuple[bytes, ...]:
    """Province and city factor of a profile's cards."""
    return (province_factor(profile.region.province), city_factor(profile.region.city))
