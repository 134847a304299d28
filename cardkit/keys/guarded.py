"""Policy before, audit after: wraps any store, so that no use of a key goes round them."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import NoReturn, Self, TypeVar

from cardkit.card.key_request import External, Internal, Seal, WriteKey
from cardkit.errors import CardkitError, RefusedError
from cardkit.keys import policy
from cardkit.keys.audit import AuditLog, Clock, Entry
from cardkit.keys.gate import GATE
from cardkit.keys.record import USABLE, KeyRecord, KeyState, Operation
from cardkit.keys.record_book import RecordBook, Standing
from cardkit.keys.reference import Factors, KeyRef
from cardkit.keys.secret import Unpicklable
from cardkit.keys.store import KeyBatch, KeyMissingError, KeyPolicyError, KeyStore
from cardkit.keys.tally import Tally

T = TypeVar("T")

DERIVE = "derive"


class GuardedStore(Unpicklable):
    """A store whose keys are used by their policy only, and on record.

    A derivation for several cards is one entry, on the disk before the batch is handed out. Answers
    and derivations for one card are reserved in the log first, and counted (`cardkit.keys.tally`).
    Refusals are written at once. Before each of them the records are looked at again, where the
    book has a source.

    Parameters
    ----------
    store : KeyStore
        Any store.
    records : mapping or RecordBook
        (name, version) → record.
    audit : AuditLog
        Shared with other processes.
    clock : callable
        Now, with a time zone.
    actor : str
        Who is named in the log: operator, or client of a service.
    users : collection of str or None
        Who may use keys; None: everybody who could open the store. Not with a book, which knows.
    purpose : str
        What for; goes into every entry.
    user : str
        Whose role counts; default: the actor. For a client it is the operator of the service.
    """

    def __init__(
        self,
        store: KeyStore,
        records: Mapping[tuple[str, int], KeyRecord] | RecordBook,
        audit: AuditLog,
        clock: Clock,
        actor: str,
        *,
        users: Collection[str] | None = None,
        purpose: str = "",
        user: str = "",
    ) -> None:
        self._store = store
        self._book = (
            records if isinstance(records, RecordBook) else RecordBook(Standing(records, users))
        )
        self._audit = audit
        self._clock = clock
        self._actor = actor
        self._user = user or actor
        self._purpose = purpose
        audit.latest_instant()  # a log whose end was changed is told before any key is used
        self._tally = Tally(audit.append, actor, purpose)
        self._digested: tuple[bytes, str] = b"", ""

    def __repr__(self) -> str:
        return f"GuardedStore({self._store!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def for_client(self, client: str) -> GuardedStore:
        """The same keys, records and log, with a client of a service as the actor.

        The operator of the service, whose role admits the use, stands beside in every entry.
        """
        return GuardedStore(
            self._store, self._book, self._audit, self._clock, client,
            purpose=f"{self._purpose} of {self._actor}", user=self._user,
        )  # fmt: skip

    def names(self) -> list[str]:
        """Names of the keys that are active."""
        records = self._book.records.items()
        return sorted({n for (n, _), r in records if r.state is KeyState.ACTIVE})

    def reference(self, name: str, version: int | None = None) -> KeyRef:
        """See `KeyStore`; without a version the newest one that can be used now."""
        self._book.refresh()
        if version is None:
            known = [r for (n, _), r in self._book.records.items() if n == name]
            if not known:
                raise KeyMissingError(f"no key {name}", hint="`cardkit key list` shows the keys")
            version = policy.newest(known, self._clock()).version
        record = self._record(name, version)
        ref = self._store.reference(name, version) if record.state in USABLE else record.ref
        # A PSAM tells no check value.
        if ref.check_value and ref.check_value != record.check_value:
            self._refuse(record, "reference", KeyPolicyError(
                f"the check value of {record} is {ref.check_value} in the store",
                hint="it is another key of that name; nothing was done",
            ))  # fmt: skip
        return record.ref

    def derive_many(self, ref: KeyRef, factors: Factors) -> GuardedBatch:
        """See `KeyStore`."""
        GATE.check()
        self._book.refresh()
        record = self._record(ref.name, ref.version)
        try:
            self._admit(record, ref)
            policy.check(record, None, self._used(record, factors), self._now())
            if factors.count > 1:
                batch = self._store.derive_many(ref, factors)
        except CardkitError as error:
            self._refuse(record, DERIVE, error, factors.count)
        if factors.count > 1:
            self._write(DERIVE, record, len(batch), detail=self._in_words(factors))
        else:
            word = f"{DERIVE} {_in_words(factors.above)}".strip()
            batch = self._counted(record, word, lambda: self._store.derive_many(ref, factors))
        return GuardedBatch(self, record, batch)

    def answer(self, record: KeyRecord, operation: Operation, give: Callable[[], T]) -> T:
        """Have an answer given if the key may be used for that, on record; for `GuardedBatch`."""
        GATE.check()
        self._book.refresh()
        record = self._record(record.name, record.version)  # as it stands now
        try:
            self._check_user()
            policy.check(record, operation, None, self._now())
        except CardkitError as error:
            self._refuse(record, str(operation), error)
        return self._counted(record, str(operation), give)

    def _counted(self, record: KeyRecord, word: str, give: Callable[[], T]) -> T:
        self._tally.claim(str(record), word)
        try:
            return give()
        except CardkitError as error:
            self._tally.give_back(str(record), word)
            self._refuse(record, word, error)

    def note_refusal(self, key: str, action: str, error: CardkitError) -> None:
        """Put on record what somebody else refused, before it came to a key."""
        result = f"refused: {error.message}"
        self._audit.append(Entry(self._actor, action, key, 0, self._purpose, result))

    def flush(self) -> None:
        """Write how many answers were given so far."""
        self._tally.flush()

    def close(self) -> None:
        """Write what was counted; close the store below if it can be closed."""
        self.flush()
        self._book.close()
        close = getattr(self._store, "close", None)
        if close is not None:
            close()

    def _used(self, record: KeyRecord, factors: Factors) -> Factors:  # noqa: ARG002
        """The factors that the key itself is diversified with."""
        return factors

    def _record(self, name: str, version: int) -> KeyRecord:
        try:
            return self._book.records[name, version]
        except KeyError:
            raise KeyMissingError(
                f"no key {name} of version {version}", hint="`cardkit key list` shows the keys"
            ) from None

    def _admit(self, record: KeyRecord, ref: KeyRef) -> None:
        self._check_user()
        if ref.check_value != record.check_value:
            raise KeyPolicyError(
                f"the check value {ref.check_value} does not fit {record}",
                hint="it is another key of that name; nothing was derived",
            )

    def _check_user(self) -> None:
        users = self._book.users
        if users is not None and self._user not in users:
            raise KeyPolicyError(
                f"{self._user} may not use keys", hint="the role 'use' is given by the custodians"
            )

    def _now(self) -> dt.datetime:
        now = self._clock()
        try:
            policy.check_clock(now, self._audit.latest_instant())
        except policy.ClockError:  # unless somebody has accepted it this very moment
            policy.check_clock(now, self._audit.latest_instant(fresh=True))
        return now

    def _refuse(
        self, record: KeyRecord, action: str, error: CardkitError, count: int = 0
    ) -> NoReturn:
        word = "refused" if isinstance(error, RefusedError) else "failed"
        self._write(action, record, count, result=f"{word}: {error.message}")
        raise error

    def _in_words(self, factors: Factors) -> str:
        cards, digest = self._digested
        if cards is not factors.cards:  # fifty keys are derived for the same cards
            digest = hashlib.sha256(factors.cards).hexdigest()[:16]
            self._digested = factors.cards, digest
        return f"{_in_words(factors.above)} cards sha256 {digest}"

    def _write(
        self, action: str, record: KeyRecord, count: int, *, result: str = "ok", detail: str = ""
    ) -> None:
        entry = Entry(self._actor, action, str(record), count, self._purpose, result, detail)
        self._audit.append(entry)


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

    def _guarded(self, operation: Operation, give: Callable[[], T]) -> T:
        return self._store.answer(self._record, operation, give)


def _in_words(above: tuple[bytes, ...]) -> str:
    return "/".join(factor.decode("ascii", "replace") for factor in above)
