"""A key store in a PKCS#11 token (密码机, 密码设备), seen from the program that uses it.

The token is owned by a process of its own: master keys never leave the token, card keys never leave
that process. When it ends, or the token goes away, the next question starts another.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from cardkit.errors import RefusedError
from cardkit.keys.reference import Factors, KeyRef
from cardkit.keys.remote_client import RemoteKeyStore, Reply
from cardkit.keys.remote_frames import FrameError, Message, read_frame, write_frame
from cardkit.keys.remote_messages import (
    KeysLostError,
    KeyTimeoutError,
    error_from_json,
    ref_from_json,
    ref_to_json,
)
from cardkit.keys.token_settings import PinSource, TokenSettings

_WORKER = "cardkit.keys.pkcs11_worker"
_TICK = 0.2  # seconds between looks at the clock
_END = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class KeyAttributes:
    """What a token vouches for: the CKA_ attributes of these names."""

    sensitive: bool
    extractable: bool
    always_sensitive: bool
    never_extractable: bool
    local: bool

    @property
    def origin(self) -> str:
        """``generated`` for a key that has never been outside the token, else ``imported``."""
        inside = self.always_sensitive and self.never_extractable and self.local
        return "generated" if inside else "imported"


class Pkcs11KeyStore(RemoteKeyStore):
    """Master keys in a token.

    Parameters
    ----------
    settings : TokenSettings
        Which token.
    pin : callable
        Gives its PIN when a session is opened. A PIN that the token refused is not presented again.
    """

    def __init__(self, settings: TokenSettings, pin: PinSource) -> None:
        self._settings = settings
        self._pin = pin
        self._refused: RefusedError | None = None
        super().__init__(self._start, f"token {settings.token}")

    @property
    def token(self) -> str:
        """Label of the token."""
        return self._settings.token

    def _start(self) -> WorkerChannel:
        if self._refused is not None:
            raise RefusedError(self._refused.message, hint=self._refused.hint)
        try:
            return WorkerChannel(self._settings, self._pin())
        except RefusedError as error:
            self._refused = error
            raise

    def list_keys(self) -> list[tuple[KeyRef, KeyAttributes]]:
        """Every key this program put into the token, with what the token vouches for."""
        reply, _ = self.call({"do": "keys"}, waiting_for="its keys")
        return [(ref_from_json(ref), KeyAttributes(**values)) for ref, values in reply["keys"]]

    def names(self) -> list[str]:
        """Names of the keys in it."""
        return sorted({ref.name for ref, _ in self.list_keys()})

    def import_key(
        self,
        name: str,
        version: int,
        value: bytes,
        *,
        algorithm: str = "3des",
        check_value: bytes = b"",
    ) -> KeyRef:
        """Put a key into the token: sensitive and not extractable from then on.

        Parameters
        ----------
        algorithm : str
            ``3des`` for a master key, ``aes`` (32 bytes) for a transport key.
        check_value : bytes
            From whoever made the key; compared before it is imported.

        Raises
        ------
        KeyPolicyError
            The check value does not fit, or the place is taken.
        """
        message = {
            "do": "put",
            "name": name,
            "version": version,
            "algorithm": algorithm,
            "check_value": check_value.hex(),
        }
        return ref_from_json(self.call(message, value, waiting_for=f"import of {name}")[0]["ref"])

    def generate_key(self, name: str, version: int, *, algorithm: str = "3des") -> KeyRef:
        """Make a key inside the token; nobody has ever seen it."""
        message = {"do": "generate", "name": name, "version": version, "algorithm": algorithm}
        return ref_from_json(self.call(message, waiting_for=f"a new key {name}")[0]["ref"])

    def destroy_key(self, ref: KeyRef) -> None:
        """Destroy a key in the token, for good."""
        self.call({"do": "destroy", "ref": ref_to_json(ref)}, waiting_for=f"end of {ref.name}")

    def derive_wrapped(self, ref: KeyRef, factors: Factors, transport: KeyRef) -> bytes:
        """Card keys under a transport key (AES key wrap, RFC 3394), never in clear.

        The token may set odd parity on them: the same 3DES key, other bytes.

        Returns
        -------
        bytes
            24 bytes a card.
        """
        message = {
            "do": "wrapped",
            "ref": ref_to_json(ref),
            "transport": ref_to_json(transport),
            "above": [factor.hex() for factor in factors.above],
        }
        waiting_for = f"{factors.count:,} wrapped keys of {ref.name}"
        return self.call(message, factors.cards, waiting_for=waiting_for)[1]

    def capabilities(self) -> list[tuple[str, bool, str]]:
        """What the token can and cannot do, tried out: what, whether, and a remark."""
        reply, _ = self.call({"do": "capabilities"}, waiting_for="what it can do")
        return [(str(what), bool(can), str(remark)) for what, can, remark in reply["capabilities"]]


class WorkerChannel:
    """The process that owns the token; implements `cardkit.keys.remote_client.Channel`."""

    def __init__(self, settings: TokenSettings, pin: str) -> None:
        self._token = settings.token
        self._timeout = settings.timeout
        self._process = subprocess.Popen(  # noqa: S603 - this program's own module
            [sys.executable, "-P", "-m", _WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(os.environ),
        )
        self._deadline = float("inf")
        self._late = False
        self._ended = threading.Event()
        threading.Thread(target=self._watch, name=f"token {self._token}", daemon=True).start()
        opening: Message = {"do": "open", "settings": settings.to_json(), "pin": pin}
        try:
            reply, _ = self.exchange(opening, b"", "a session")
        except BaseException:
            self.close()
            raise
        if "error" in reply:
            self.close()
            raise error_from_json(reply["error"])

    def _watch(self) -> None:
        """End a process that does not answer: pipes have no time-outs everywhere."""
        while not self._ended.wait(_TICK):
            if time.monotonic() > self._deadline:
                self._late = True
                self._process.kill()
                return

    def exchange(self, message: Message, blob: bytes, waiting_for: str) -> Reply:
        """See `Channel`."""
        requests, replies = (
            cast("BinaryIO", self._process.stdin),
            cast("BinaryIO", self._process.stdout),
        )
        self._deadline = time.monotonic() + self._timeout
        try:
            write_frame(requests, message, blob)
            frame = read_frame(replies)
        except (OSError, FrameError):
            frame = None
        finally:
            self._deadline = float("inf")
        if frame is None:
            raise self._gone(waiting_for)
        if frame[0].get("error", {}).get("kind") == KeysLostError.__name__:
            raise error_from_json(frame[0]["error"])
        return frame

    def _gone(self, waiting_for: str) -> KeysLostError | KeyTimeoutError:
        if self._late:
            return KeyTimeoutError(
                f"token {self._token} did not give {waiting_for} in {self._timeout:g} s",
                hint="is it busy or stuck? The next call opens it anew",
            )
        status = self._process.wait(_END)
        return KeysLostError(
            f"the process of token {self._token} ended ({_how(status)}) "
            f"while it was asked for {waiting_for}",
            hint="the next call starts another",
        )

    def close(self) -> None:
        """End the process."""
        self._ended.set()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            self._process.wait(_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _how(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Ours, and where this package is: the working directory is not searched for modules."""
    home = str(Path(__file__).resolve().parents[2])
    paths = [home, *filter(None, [environment.get("PYTHONPATH")])]
    return {**environment, "PYTHONPATH": os.pathsep.join(paths)}
