"""The side that asks: a key store whose keys are in another process, whatever carries the messages.

A connection that is lost is made again and the question put once more: answers depend on nothing
but keys and requests, so asking twice does no harm. Batches are remembered here as reference and
factors, neither of which is secret, and derived anew where the new connection does not have them.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol, Self, TypeVar

from cardkit.card.key_request import External, Internal, KeyRequest, Seal, WriteKey
from cardkit.crypto.diversify import FACTOR_LENGTH
from cardkit.keys.gate import GATE
from cardkit.keys.reference import Factors, KeyRef
from cardkit.keys.remote_frames import MOST_BLOB, Message
from cardkit.keys.remote_messages import (
    KeysLostError,
    error_from_json,
    ref_from_json,
    ref_to_json,
    request_to_json,
)
from cardkit.keys.store import KeyPolicyError

T = TypeVar("T")
Reply = tuple[Message, bytes]


class Channel(Protocol):
    """One connection to the process that holds the keys."""

    def exchange(self, message: Message, blob: bytes, waiting_for: str) -> Reply:
        """Send a message, wait for its reply.

        Raises
        ------
        KeysLostError
            The other side has gone.
        KeyTimeoutError
            It did not answer in time; the message says what was waited for.
        """

    def close(self) -> None:
        """End the connection."""


@dataclass(slots=True)
class _Connection:
    channel: Channel
    batches: set[int] = field(default_factory=set)  # numbers of those the other side has
    cards: bytes | None = None  # the factors it was sent last, and still has


class RemoteKeyStore:
    """Implements `cardkit.keys.store.KeyStore`; threads using it take turns.

    Parameters
    ----------
    connect : callable
        Makes a connection; raises a `CardkitError` where that is not possible.
    name : str
        What holds the keys, for people: ``token cards``, ``key service 10.0.0.5:7000``.

    Raises
    ------
    SelfTestFailedError
        An algorithm does not compute its known answers.
    """

    def __init__(self, connect: Callable[[], Channel], name: str) -> None:
        GATE.require()
        self._connect = connect
        self._name = name
        self._lock = threading.Lock()
        self._connection: _Connection | None = None
        self._numbers = count(1)
        self._released: deque[int] = deque()  # filled by the garbage collector, in any thread

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; the next question makes another."""
        with self._lock:
            self._drop()

    def greet(self) -> str:
        """Name by which the other side knows us; makes the connection if there is none."""
        return str(self.call({"do": "hello"}, waiting_for="its greeting")[0]["client"])

    def names(self) -> list[str]:
        """Names of the keys that this client may use."""
        return [str(n) for n in self.call({"do": "names"}, waiting_for="its keys")[0]["names"]]

    def reference(self, name: str, version: int | None = None) -> KeyRef:
        """See `KeyStore`."""
        message = {"do": "reference", "name": name, "version": version}
        return ref_from_json(self.call(message, waiting_for=f"key {name}")[0]["ref"])

    def derive_many(self, ref: KeyRef, factors: Factors) -> RemoteKeyBatch:
        """See `KeyStore`."""
        if len(factors.cards) > MOST_BLOB:
            most = MOST_BLOB // FACTOR_LENGTH
            raise KeyPolicyError(
                f"more than {most:,} cards at once for {self._name}",
                hint="make the batches smaller",
            )
        batch = RemoteKeyBatch(self, next(self._numbers), ref, factors)
        weakref.finalize(batch, self._released.append, batch.number)
        self._with_connection(lambda connection: self._ensure(connection, batch))
        return batch

    def ask(
        self, questions: Sequence[tuple[RemoteKeyBatch, int, KeyRequest, RemoteKeyBatch | None]]
    ) -> list[bytes]:
        """Many answers for one journey.

        Parameters
        ----------
        questions : sequence of tuple
            Batch, place in it, request, and the batch that seals (WRITE KEY) or None.
        """
        batches = {b.number: b for batch, _, _, under in questions for b in (batch, under) if b}
        if any(batch.store is not self for batch in batches.values()):
            raise KeyPolicyError("keys of two stores cannot work together")
        message = {
            "do": "ask",
            "questions": [
                {
                    "batch": batch.number,
                    "index": index,
                    "request": request_to_json(request),
                    "under": under.number if under else None,
                }
                for batch, index, request, under in questions
            ],
        }

        def work(connection: _Connection) -> Reply:
            for batch in batches.values():
                self._ensure(connection, batch)
            waiting_for = f"{len(questions)} answers of {questions[0][0].ref.name}"
            return self._exchange(connection, message, b"", waiting_for)

        reply, blob = self._with_connection(work)
        return _cut(blob, reply["lengths"])

    def call(self, message: Message, blob: bytes = b"", *, waiting_for: str) -> Reply:
        """One message that needs no batch, and its reply.

        Raises
        ------
        CardkitError
            What the other side says, or `KeyServiceError`.
        """
        return self._with_connection(lambda c: self._exchange(c, message, blob, waiting_for))

    # --- below: with the lock ---------------------------------------------------------------------

    def _with_connection(self, work: Callable[[_Connection], T]) -> T:
        GATE.check()
        with self._lock:
            try:
                return work(self._connected())
            except KeysLostError:
                self._drop()
            return work(self._connected())

    def _connected(self) -> _Connection:
        if self._connection is None:
            self._connection = _Connection(self._connect())
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.channel.close()

    def _ensure(self, connection: _Connection, batch: RemoteKeyBatch) -> None:
        if batch.number in connection.batches:
            return
        cards = batch.factors.cards
        again = connection.cards is cards  # many keys are derived for the same cards
        message = {
            "do": "derive",
            "batch": batch.number,
            "ref": ref_to_json(batch.ref),
            "above": [factor.hex() for factor in batch.factors.above],
            "again": again,
        }
        waiting_for = f"{batch.factors.count:,} keys of {batch.ref.name}"
        connection.cards = None  # until it is known that they have arrived
        self._exchange(connection, message, b"" if again else cards, waiting_for)
        connection.cards = cards
        connection.batches.add(batch.number)

    def _exchange(
        self, connection: _Connection, message: Message, blob: bytes, waiting_for: str
    ) -> Reply:
        numbers = [self._released.popleft() for _ in range(len(self._released))]
        gone = connection.batches.intersection(numbers)
        connection.batches -= gone
        try:
            reply, content = connection.channel.exchange(
                message | {"release": sorted(gone)}, blob, waiting_for
            )
        except BaseException:
            self._drop()  # whatever comes on it now would be the answer to another question
            raise
        if "error" in reply:
            raise error_from_json(reply["error"])
        return reply, content


class RemoteKeyBatch:
    """Card keys in another process; implements `cardkit.keys.store.KeyBatch`."""

    def __init__(self, store: RemoteKeyStore, number: int, ref: KeyRef, factors: Factors) -> None:
        self.store = store
        self.number = number
        self.ref = ref
        self.factors = factors

    def __repr__(self) -> str:
        return f"RemoteKeyBatch({self.ref}, {len(self)} keys)"

    def __len__(self) -> int:
        return self.factors.count

    def external(self, index: int, request: External) -> bytes:
        """See `CardKeys`."""
        return self._ask(index, request)

    def internal(self, index: int, request: Internal) -> bytes:
        """See `CardKeys`."""
        return self._ask(index, request)

    def seal(self, index: int, request: Seal) -> bytes:
        """See `CardKeys`."""
        return self._ask(index, request)

    def write_key(self, index: int, request: WriteKey, under: RemoteKeyBatch | None) -> bytes:
        """See `CardKeys`."""
        return self._ask(index, request, under)

    def _ask(self, index: int, request: KeyRequest, under: RemoteKeyBatch | None = None) -> bytes:
        if not 0 <= index < len(self):
            raise IndexError(f"the batch has {len(self)} keys")
        return self.store.ask([(self, index, request, under)])[0]


def _cut(blob: bytes, lengths: Sequence[int]) -> list[bytes]:
    answers, at = [], 0
    for length in lengths:
        answers.append(blob[at : at + length])
        at += length
    return answers
