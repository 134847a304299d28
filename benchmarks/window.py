"""The 29-command card over pcscd: toolkit against a bare pyscard loop that replays the same bytes.

Both run in processes of their own, in turn, against the same virtual card, which is pristine
again at every power-on. The toolkit's time is from the connected card to the durable result:
identification, intent, write, check, result. Keys are derived before, as for any batch.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cardkit.profile import load
from cardkit.virtual import service, vpcd
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.factory import CardFactory

ROUNDS = 21
WARM_UP = 4
PACES = (
    (0.0, "virtual reader as fast as it goes"),
    (0.00012, "virtual reader of 0.15 ms a command"),
    (0.005, "card of 5 ms a command"),
)
"""Seconds a command takes in the card. A real chip takes 10 to 100 ms (see ``wire``)."""


class Deck:
    """The card side of one reader: whichever card was chosen, pristine at every power-on."""

    def __init__(self, images: list[Path]) -> None:
        self._images = images
        self.pace = 0.0
        self._card: VirtualCard | None = None
        self.chosen = 0
        self.commands: list[bytes] = []

    def power_on(self) -> bytes:
        """Begin a session of the chosen card."""
        self._card = VirtualCard.load(self._images[self.chosen], random=lambda n: b"\x5a" * n)
        self.commands = []
        return self._card.power_on()

    def power_off(self) -> None:
        """Keep nothing."""
        self._card = None

    def reset(self) -> bytes:
        """A reset begins anew as well."""
        return self.power_on()

    def transmit(self, apdu: bytes) -> bytes:
        """Answer, and remember what was asked."""
        assert self._card is not None
        due = time.perf_counter() + self.pace
        self.commands.append(apdu)
        answer = self._card.transmit(apdu)
        while time.perf_counter() < due:
            pass
        return answer


class Client:
    """A process that is told what to do line by line."""

    def __init__(self, role: str, environment: dict[str, str], *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.window_clients", role, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def ask(self, request: object) -> float:
        """Seconds it took."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def end(self) -> None:
        """Close its input and wait."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="cardkit-bench-") as folder:
        here = Path(folder)
        images = _images(here)
        with service.start(1, here / "run", publish=False) as running:
            deck = Deck(images)
            reader = vpcd.insert(deck, lambda: running.attach(0))
            environment = os.environ | running.environment
            try:
                print(f"registry on this disk, fsync {_fsync(here) * 1000:.2f} ms, two a card:")
                _compare(deck, environment, here)
                with tempfile.TemporaryDirectory(dir=_MEMORY) as memory:
                    print("registry in memory, which leaves the disk out:")
                    _compare(deck, environment, Path(memory))
            finally:
                reader.remove()


_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a name of its own in it


def _images(here: Path) -> list[Path]:
    factory = CardFactory(load("test"))
    images = []
    for number in range(len(PACES) * (ROUNDS + WARM_UP)):
        images.append(here / f"{number}.card")
        serial = (0x40000001 + number).to_bytes(4, "big")
        factory.premade(serial, complete=True).save(images[-1])
    return images


def _compare(deck: Deck, environment: dict[str, str], registry: Path) -> None:
    count = len(PACES) * (ROUNDS + WARM_UP)
    toolkit = Client("toolkit", environment, str(registry / "registry.db"), str(count))
    bare = Client("bare", environment)
    for turn, (pace, words) in enumerate(PACES):
        deck.pace = pace
        first = turn * (ROUNDS + WARM_UP)
        rounds = [
            _round(deck, toolkit, bare, number) for number in range(first, first + ROUNDS + WARM_UP)
        ]
        _print(words, rounds[WARM_UP:])
    sent = [command for command in deck.commands if command[1] != 0xC0]
    print(f"  {len(sent)} commands and {len(deck.commands) - len(sent)} GET RESPONSE a card")
    toolkit.end()
    bare.end()


def _round(deck: Deck, toolkit: Client, bare: Client, number: int) -> tuple[float, float]:
    deck.chosen = number
    ours = toolkit.ask(number)
    return ours, bare.ask([command.hex() for command in deck.commands])


def _print(words: str, rounds: list[tuple[float, float]]) -> None:
    ours, theirs = (statistics.median(times) for times in zip(*rounds, strict=True))
    pairs = statistics.median(a / b for a, b in rounds)
    print(
        f"  {words}: toolkit {ours * 1000:.2f} ms, bare pyscard {theirs * 1000:.2f} ms, "
        f"ratio {ours / theirs:.2f} (median of the pairs {pairs:.2f}), target 1.25"
    )


def _fsync(folder: Path) -> float:
    """Median seconds of a small durable write."""
    times = []
    with (folder / "fsync").open("wb") as file:
        for _ in range(31):
            file.write(bytes(4096))
            file.flush()
            begin = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - begin)
    return statistics.median(times)
