"""What tests over PC/SC share: a scripted card, and programs in another environment."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cardkit.apdu import pcsc
from cardkit.apdu.link import LinkLostError
from cardkit.virtual import service, vpcd

READERS = 8
NOBODY = 65534
SOON = 5.0  # seconds; a reader notices a card in under half a second


@dataclass(frozen=True)
class Inserted:
    """A card in a virtual reader."""

    slot: int
    reader: str
    thread: vpcd.ReaderThread

    def remove(self) -> None:
        """Take it out, and wait until the reader has noticed."""
        self.thread.remove()
        pcsc.wait_for_removal(self.reader, SOON)


Insert = Callable[..., Inserted]


class ScriptedCard:
    """The smallest card: fixed answers, 9000 to everything else, and a list of what happened.

    Parameters
    ----------
    answers : dict, optional
        Command bytes → answer bytes.
    cut_at : int, optional
        Number of the command (from 1) at which the power fails.
    """

    ATR = bytes.fromhex("3B6D0000") + b"scripted card"

    def __init__(self, answers: dict[bytes, bytes] | None = None, cut_at: int = 0) -> None:
        self.atr = self.ATR
        self.events: list[str] = []
        self.commands: list[bytes] = []
        self._answers = answers or {}
        self._cut_at = cut_at

    def power_on(self) -> bytes:
        self.events.append("on")
        return self.atr

    def power_off(self) -> None:
        self.events.append("off")

    def reset(self) -> bytes:
        self.events.append("reset")
        return self.atr

    def transmit(self, apdu: bytes) -> bytes:
        self.commands.append(apdu)
        if len(self.commands) == self._cut_at:
            raise LinkLostError("power cut")
        return self._answers.get(apdu, b"\x90\x00")


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    """Wait for something that happens elsewhere, in another process or thread."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def run_elsewhere(code: str, socket: Path, *, user: int | None = None, imports: str = "") -> str:
    """Run code in another process whose PC/SC socket is ``socket``; returns what it prints.

    The client library reads its environment once, so this process cannot play another one. A
    `CardkitError` is printed as ``Kind exit-code: message``. With ``user`` the process gives up
    root's rights once everything (and ``imports``) is imported.
    """
    drop = "" if user is None else f"os.setgroups([]); os.setgid({user}); os.setuid({user})\n"
    wrapped = (
        "import os\n"
        "from pathlib import Path\n"
        "from cardkit.apdu import pcsc\n"
        "from cardkit.virtual import service\n"
        "from cardkit.errors import CardkitError\n"
        f"{imports}pcsc.calls.scard()\n{drop}"
        "try:\n"
        f"    print({code})\n"
        "except CardkitError as error:\n"
        "    print(f'{type(error).__name__} {error.exit_code}: {error}')\n"
    )
    environment = os.environ | {service.SOCKET_VARIABLE: str(socket)}
    done = subprocess.run(
        [sys.executable, "-c", wrapped],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def without_pcscd(code: str) -> str:
    """Run code where no daemon is."""
    return run_elsewhere(code, Path("/nonexistent/pcscd.comm"))
