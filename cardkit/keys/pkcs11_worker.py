"""The process that owns a token: one process, one token, one thread.

Started by `cardkit.keys.pkcs11`; the first message brings settings and PIN, standard input and
output carry the rest. It ends with its parent, and after the token went away.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, BinaryIO

from cardkit.crypto.check_value import check_value_3des
from cardkit.errors import CardkitError
from cardkit.keys.gate import GATE
from cardkit.keys.reference import Factors, KeyRef
from cardkit.keys.remote_desk import Desk, Reply
from cardkit.keys.remote_frames import FrameError, Message, read_frame, write_frame
from cardkit.keys.remote_messages import (
    KeyServiceError,
    KeysLostError,
    error_to_json,
    ref_from_json,
    ref_to_json,
)
from cardkit.keys.token_settings import TokenSettings

if TYPE_CHECKING:
    from cardkit.keys.pkcs11_store import TokenKeyStore

_LOST = KeysLostError.__name__


class TokenDesk(Desk):
    """A desk that also lists, makes and destroys keys; for the parent process only."""

    def __init__(self, store: TokenKeyStore) -> None:
        super().__init__(store)
        self._token_store = store
        self.handlers |= {
            "keys": self._keys_of_token,
            "put": self._put,
            "generate": self._generate,
            "destroy": self._destroy,
            "wrapped": self._wrapped,
            "capabilities": self._capabilities,
        }

    def _keys_of_token(self, message: Message, blob: bytes) -> Reply:  # noqa: ARG002
        keys = self._token_store.list_keys()
        return {"keys": [[ref_to_json(ref), attributes] for ref, attributes in keys]}, b""

    def _put(self, message: Message, blob: bytes) -> Reply:
        wanted = bytes.fromhex(message["check_value"]) or check_value_3des(blob[:16])
        ref = self._token_store.put(
            message["name"], int(message["version"]), message["algorithm"], blob, wanted
        )
        return {"ref": ref_to_json(ref)}, b""

    def _generate(self, message: Message, blob: bytes) -> Reply:  # noqa: ARG002
        ref = self._token_store.generate(
            message["name"], int(message["version"]), message["algorithm"]
        )
        return {"ref": ref_to_json(ref)}, b""

    def _destroy(self, message: Message, blob: bytes) -> Reply:  # noqa: ARG002
        self._token_store.destroy(self._own(message, "ref"))
        return {}, b""

    def _wrapped(self, message: Message, blob: bytes) -> Reply:
        factors = Factors(tuple(bytes.fromhex(factor) for factor in message["above"]), blob)
        ref, transport = self._own(message, "ref"), self._own(message, "transport")
        return {}, self._token_store.derive_wrapped(ref, factors, transport)

    def _capabilities(self, message: Message, blob: bytes) -> Reply:  # noqa: ARG002
        return {"capabilities": self._token_store.capabilities()}, b""

    def _own(self, message: Message, field: str) -> KeyRef:
        return self.own_reference(ref_from_json(message[field]))


def serve(requests: BinaryIO, replies: BinaryIO) -> int:
    """Answer until the parent has gone, or the token has.

    Returns
    -------
    int
        Exit status: 0, or 3 when the token was not there or went away, or the self-test failed.
    """
    opening = read_frame(requests)
    if opening is None:
        return 0
    try:
        GATE.require()
        desk = TokenDesk(_open(opening[0]))
    except CardkitError as error:
        write_frame(replies, {"error": error_to_json(error)})
        return 3
    del opening  # it has the PIN
    write_frame(replies, {"open": True})
    while (frame := read_frame(requests)) is not None:
        reply, blob = desk.answer(*frame)
        write_frame(replies, reply, blob)
        if reply.get("error", {}).get("kind") == _LOST:
            return 3
    return 0


def _open(message: Message) -> TokenKeyStore:
    try:
        from cardkit.keys.pkcs11_store import TokenKeyStore  # noqa: PLC0415
        from cardkit.keys.pkcs11_token import Token  # noqa: PLC0415
    except ModuleNotFoundError:
        raise KeyServiceError(
            "the package python-pkcs11 is not installed", hint='pip install "cardkit[hsm]"'
        ) from None
    settings = TokenSettings.from_json(message["settings"])
    return TokenKeyStore(Token(settings.module, settings.token, message["pin"]), settings)


def main() -> int:
    """Run on standard input and output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us in order
    replies = os.fdopen(os.dup(1), "wb")
    # What a token's library prints must not get among the answers.
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    try:
        return serve(sys.stdin.buffer, replies)
    except (FrameError, OSError):
        return 0  # the parent has gone


if __name__ == "__main__":
    sys.exit(main())
