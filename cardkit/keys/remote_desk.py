"""The side that holds keys: takes messages, asks a store, gives answers; no transport in it.

One desk serves one client: the process that owns a token its parent, the key service a connection.
Batches live as long as the desk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from cardkit.card.key_request import External, Internal, KeyRequest, Seal, WriteKey
from cardkit.errors import CardkitError
from cardkit.keys.reference import Factors, KeyRef
from cardkit.keys.remote_access import EVERYTHING, Rights, operation_of
from cardkit.keys.remote_frames import PROTOCOL, Message
from cardkit.keys.remote_messages import (
    KeyServiceError,
    error_to_json,
    ref_from_json,
    ref_to_json,
    request_from_json,
)
from cardkit.keys.store import KeyBatch, KeyPolicyError, KeyStore

MOST_KEYS: Final = 16_000_000
"""Card keys that one client may have derived and not released: 256 MB."""

Reply = tuple[Message, bytes]
Handler = Callable[[Message, bytes], Reply]


class Desk:
    """Answers one client.

    Parameters
    ----------
    store : KeyStore
        Where the keys are; may itself be guarded by policy and audit.
    rights : Rights
        What this client may ask.
    """

    def __init__(self, store: KeyStore, rights: Rights = EVERYTHING) -> None:
        self._store = store
        self._rights = rights
        self._batches: dict[int, KeyBatch] = {}
        self._keys = 0
        self._cards = b""
        self.handlers: dict[str, Handler] = {
            "hello": self._hello,
            "names": self._names,
            "reference": self._reference,
            "derive": self._derive,
            "ask": self._ask,
        }

    def answer(self, message: Message, blob: bytes) -> Reply:
        """The reply to one message; errors are replies too.

        What a message makes of the store's errors is one line each. A fault of this program says no
        more than that it is one: its text could hold anything.
        """
        try:
            self._release(message)
            return self._handler(message)(message, blob)
        except CardkitError as error:
            return {"error": error_to_json(error)}, b""
        except Exception as error:  # noqa: BLE001 - one request must not end the service
            kind = type(error).__name__
            fault = KeyServiceError(f"the key service cannot make sense of the request ({kind})")
            return {"error": error_to_json(fault)}, b""

    def _handler(self, message: Message) -> Handler:
        if message.get("protocol", PROTOCOL) != PROTOCOL:
            raise KeyPolicyError(
                f"the key service speaks version {PROTOCOL} of the protocol, the client another",
                hint="install the same version of cardkit on both sides",
            )
        return self.handlers[message["do"]]

    def _release(self, message: Mapping[str, Any]) -> None:
        for number in message.get("release", ()):
            batch = self._batches.pop(number, None)
            self._keys -= len(batch) if batch is not None else 0

    def _hello(self, message: Message, blob: bytes) -> Reply:  # noqa: ARG002
        return {"protocol": PROTOCOL, "client": self._rights.client}, b""

    def _names(self, message: Message, blob: bytes) -> Reply:  # noqa: ARG002
        # Not part of `KeyStore`: every store that can be opened from a profile has it.
        names: list[str] = getattr(self._store, "names", list)()
        return {"names": [name for name in names if self._rights.may_use(name)]}, b""

    def _reference(self, message: Message, blob: bytes) -> Reply:  # noqa: ARG002
        with self._admitting(message["name"], "reference"):
            self._rights.check_key(message["name"])
        ref = self._store.reference(message["name"], message["version"])
        return {"ref": ref_to_json(ref)}, b""

    def _derive(self, message: Message, blob: bytes) -> Reply:
        if message["again"] is not True:
            self._cards = blob
        asked = ref_from_json(message["ref"])
        with self._admitting(str(asked), "derive"):
            self._rights.check_key(asked.name)
        ref = self.own_reference(asked)
        factors = Factors(tuple(bytes.fromhex(factor) for factor in message["above"]), self._cards)
        if self._keys + factors.count > MOST_KEYS:
            raise KeyPolicyError(
                f"more than {MOST_KEYS:,} card keys at once", hint="make the batches smaller"
            )
        batch = self._store.derive_many(ref, factors)
        self._batches[int(message["batch"])] = batch
        self._keys += len(batch)
        return {"count": len(batch)}, b""

    def own_reference(self, asked: KeyRef) -> KeyRef:
        """Reference here of the key that a client means; its check value has to fit."""
        ref = self._store.reference(asked.name, asked.version)
        if ref != asked:
            raise KeyPolicyError(
                f"{asked} is another key here: {ref}",
                hint="the key was replaced, or the client looks at another store; start anew",
            )
        return ref

    def _ask(self, message: Message, blob: bytes) -> Reply:  # noqa: ARG002
        answers = [self._one(question) for question in message["questions"]]
        return {"lengths": [len(answer) for answer in answers]}, b"".join(answers)

    def _one(self, question: Mapping[str, Any]) -> bytes:
        request = request_from_json(question["request"])
        batch = self._batches[question["batch"]]
        under = None if question["under"] is None else self._batches[question["under"]]
        with self._admitting(str(batch.ref), str(operation_of(request))):
            self._rights.check_request(batch.ref.name, request)
            if under is not None:
                self._rights.check_key(under.ref.name)
        return answer_with(batch, int(question["index"]), request, under)

    @contextmanager
    def _admitting(self, key: str, action: str) -> Iterator[None]:
        """What the access file does not allow is on record like what the policy refuses."""
        try:
            yield
        except KeyPolicyError as error:
            note_refusal(self._store, key, action, error)
            raise


def note_refusal(store: KeyStore, key: str, action: str, error: CardkitError) -> None:
    """Put a refusal on record where the store keeps a log; files of test keys have none."""
    note = getattr(store, "note_refusal", None)
    if note is not None:
        note(key, action, error)


def answer_with(batch: KeyBatch, index: int, request: KeyRequest, under: KeyBatch | None) -> bytes:
    """Put a request to a batch."""
    match request:
        case External():
            return batch.external(index, request)
        case Internal():
            return batch.internal(index, request)
        case Seal():
            return batch.seal(index, request)
        case WriteKey():
            return batch.write_key(index, request, under)
