"""Policy before, audit after: wraps any store, so that no use of a key goes round them."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import NoReturn, Self, TypeVar

from cardkit.card.key_request import External, Internal, Seal, WriteKey
from cardkit.errors import CardkitError, RefusedError
from cardkit.keys import policy
from cardkit.keys.audit import AuditLog, Clock, Entry
from cardkit.keys.record import USABLE, KeyRecord, KeyState, Operation
from cardkit.keys.reference import Factors, KeyRef
from cardkit.keys.secret import Unpicklable
from cardkit.keys.store import KeyBatch, KeyMissingError, KeyPolicyError, KeyStore

T = TypeVar("T")

THRESHOLD = 1000
"""Answers that are counted before they are written as entries."""


class GuardedStore(Unpicklable):
    """A store whose keys are used by their policy only, and on record.

    A derivation is one entry, whatever its number of cards, on the disk before the batch is handed
    out. Answers are counted, and written as one entry a key and operation at every `THRESHOLD`, by
    `flush` and by `close`. Refusals are written at once.

    Parameters
    ----------
    store : KeyStore
        Any store.
    records : mapping
        (name, version) → record.
    audit : AuditLog
        Shared with other processes.
    clock : callable
        Now, with a time zone.
    actor : str
        Operator.
    users : collection of str or None
        Who may use keys; None: everybody who could open the store.
    purpose : str
        What for; goes into every entry.
    """

    def __init__(
        self,
        store: KeyStore,
        records: Mapping[tuple[str, int], KeyRecord],
        audit: AuditLog,
        clock: Clock,
        actor: str,
        *,
        users: Collection[str] | None = None,
        purpose: str = "",
    ) -> None:
        self._store = store
        self._records = dict(records)
        self._audit = audit
        self._clock = clock
        self._actor = actor
        self._users = users
        self._purpose = purpose
        self._latest = audit.last_instant()
        self._counts: Counter[tuple[str, Operation]] = Counter()
        self._lock = threading.Lock()
        self._digested: tuple[bytes, str] = b"", ""

    def __repr__(self) -> str:
        return f"GuardedStore({self._store!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def names(self) -> list[str]:
        """Names of the keys that are active."""
        return sorted({n for (n, _), r in self._records.items() if r.state is KeyState.ACTIVE})

    def reference(self, name: str, version: int | None = None) -> KeyRef:
        """See `KeyStore`; without a version the newest one that is active."""
        if version is None:
            known = [r for (n, _), r in self._records.items() if n == name]
            if not known:
                raise KeyMissingError(f"no key {name}", hint="`cardkit key list` shows the keys")
            version = max(known, key=_preference).version
        record = self._record(name, version)
        ref = self._store.reference(name, version) if record.state in USABLE else record.ref
        if ref.check_value != record.check_value:
            self._refuse(record, "reference", KeyPolicyError(
                f"the check value of {record} is {ref.check_value} in the store",
                hint="it is another key of that name; nothing was done",
            ))  # fmt: skip
        return record.ref

    def derive_many(self, ref: KeyRef, factors: Factors) -> GuardedBatch:
        """See `KeyStore`."""
        record = self._record(ref.name, ref.version)
        try:
            self._admit(record, ref)
            policy.check(record, None, factors, self._now())
            batch = self._store.derive_many(ref, factors)
        except CardkitError as error:
            self._refuse(record, "derive", error, factors.count)
        self._write("derive", str(record), len(batch), detail=self._in_words(factors))
        return GuardedBatch(self, record, batch)

    def flush(self) -> None:
        """Write the answers that were counted so far."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        try:
            while counts:
                (key, operation), count = next(iter(counts.items()))
                self._write("use", key, count, detail=str(operation))
                del counts[key, operation]
        finally:
            with self._lock:  # what could not be written is written with the next entry
                self._counts.update(counts)

    def close(self) -> None:
        """Write what was counted; close the store below if it can be closed."""
        self.flush()
        close = getattr(self._store, "close", None)
        if close is not None:
            close()

    def count(self, record: KeyRecord, operation: Operation) -> None:
        """Note one answer; for batches of this store."""
        with self._lock:
            self._counts[str(record), operation] += 1
            full = self._counts.total() >= THRESHOLD
        if full:
            self.flush()

    def check(self, record: KeyRecord, operation: Operation) -> None:
        """Raise, and record it, if a key may not be used for that; for batches of this store."""
        try:
            policy.check(record, operation, None, self._now())
        except CardkitError as error:
            self._refuse(record, str(operation), error)

    def _record(self, name: str, version: int) -> KeyRecord:
        try:
            return self._records[name, version]
        except KeyError:
            raise KeyMissingError(
                f"no key {name} of version {version}", hint="`cardkit key list` shows the keys"
            ) from None

    def _admit(self, record: KeyRecord, ref: KeyRef) -> None:
        if self._users is not None and self._actor not in self._users:
            raise KeyPolicyError(
                f"{self._actor} may not use keys", hint="the role 'use' is given by the custodians"
            )
        if ref.check_value != record.check_value:
            raise KeyPolicyError(
                f"the check value {ref.check_value} does not fit {record}",
                hint="it is another key of that name; nothing was derived",
            )

    def _now(self) -> dt.datetime:
        now = self._clock()
        policy.check_clock(now, self._latest)
        self._latest = max(now, self._latest or now)
        return now

    def _refuse(
        self, record: KeyRecord, action: str, error: CardkitError, count: int = 0
    ) -> NoReturn:
        if isinstance(error, RefusedError):
            self._write(action, str(record), count, result=f"refused: {error.message}")
        raise error

    def _in_words(self, factors: Factors) -> str:
        above = "/".join(f.decode("ascii", "replace") for f in factors.above)
        if not factors.cards:
            return above
        cards, digest = self._digested
        if cards is not factors.cards:  # fifty keys are derived for the same cards
            digest = hashlib.sha256(factors.cards).hexdigest()[:16]
            self._digested = factors.cards, digest
        return f"{above} cards sha256 {digest}"

    def _write(
        self, action: str, key: str, count: int, *, result: str = "ok", detail: str = ""
    ) -> None:
        self._audit.append(Entry(self._actor, action, key, count, self._purpose, result, detail))


class GuardedBatch(Unpicklable):
    """Answers of a batch, each checked and counted; implements `KeyBatch`."""

    def __init__(self, store: GuardedStore, record: KeyRecord, batch: KeyBatch) -> None:
        self._store = store
        self._record = record
        self._batch = batch

    def __repr__(self) -> str:
        return f"GuardedBatch({self._record}, {len(self)} keys)"

    def __len__(self) -> int:
        return len(self._batch)

    @property
    def ref(self) -> KeyRef:
        """See `KeyBatch`."""
        return self._record.ref

    def external(self, index: int, request: External) -> bytes:
        """See `KeyBatch`."""
        return self._guarded(Operation.EXTERNAL, lambda: self._batch.external(index, request))

    def internal(self, index: int, request: Internal) -> bytes:
        """See `KeyBatch`."""
        return self._guarded(Operation.INTERNAL, lambda: self._batch.internal(index, request))

    def seal(self, index: int, request: Seal) -> bytes:
        """See `KeyBatch`."""
        return self._guarded(Operation.SEAL, lambda: self._batch.seal(index, request))

    def write_key(self, index: int, request: WriteKey, under: GuardedBatch | None) -> bytes:
        """See `KeyBatch`; the key that seals another is used for sealing."""
        if under is None:
            return self._guarded(
                Operation.LOAD_PLAIN, lambda: self._batch.write_key(index, request, None)
            )
        inner = under._batch  # noqa: SLF001 - a batch of the same class
        return self._guarded(
            Operation.LOAD,
            lambda: under._guarded(  # noqa: SLF001
                Operation.SEAL, lambda: self._batch.write_key(index, request, inner)
            ),
        )

    def _guarded(self, operation: Operation, answer: Callable[[], T]) -> T:
        self._store.check(self._record, operation)
        result = answer()
        self._store.count(self._record, operation)
        return result


def _preference(record: KeyRecord) -> tuple[bool, bool, int]:
    return record.state is KeyState.ACTIVE, record.state in USABLE, record.version
