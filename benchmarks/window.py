"""The 29-command card over pcscd: toolkit against a bare pyscard loop that replays the same bytes.

Both run in processes of their own, in turn, against the same virtual card, which is pristine
again at every power-on. The toolkit's time is from the connected card to the durable result:
identification, intent, write, check, result. Keys are derived before, as for any batch.
"""

from __future__ import annotations

import datetime as dt
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

ROUNDS = 31
WARM_UP = 4


class Deck:
    """The card side of one reader: whichever card was chosen, pristine at every power-on."""

    def __init__(self, images: list[Path]) -> None:
        self._images = images
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
        self.commands.append(apdu)
        return self._card.transmit(apdu)


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
        factory = CardFactory(load("test"))
        images = []
        for number in range(ROUNDS + WARM_UP):
            image = here / f"{number}.card"
            factory.premade((0x40000001 + number).to_bytes(4, "big"), complete=True).save(image)
            images.append(image)
        runtime = here / "run"
        with service.start(1, runtime, publish=False) as running:
            environment = os.environ | running.environment
            deck = Deck(images)
            reader = vpcd.insert(deck, lambda: running.attach(0))
            try:
                _compare(deck, environment, here)
            finally:
                reader.remove()


def _compare(deck: Deck, environment: dict[str, str], here: Path) -> None:
    toolkit = Client(
        "toolkit",
        environment,
        str(Path(os.environ.get("REG", str(here))) / "registry.db"),
        str(ROUNDS + WARM_UP),
    )
    bare = Client("bare", environment)
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(ROUNDS + WARM_UP):
        deck.chosen = number
        seconds = toolkit.ask(number)
        sent = list(deck.commands)
        again = bare.ask([command.hex() for command in sent])
        if number >= WARM_UP:
            ours.append(seconds)
            theirs.append(again)
    toolkit.end()
    bare.end()
    commands = [command for command in sent if command[1] != 0xC0]
    pairs = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(f"{len(commands)} commands and {len(sent) - len(commands)} GET RESPONSE a card")
    print(f"toolkit       {statistics.median(ours) * 1000:7.2f} ms (median of {ROUNDS} rounds)")
    print(f"bare pyscard  {statistics.median(theirs) * 1000:7.2f} ms")
    print(f"ratio         {ratio:7.3f} of the medians, {pairs:.3f} median of the pairs")
    print(f"             {3600 / statistics.median(ours):8.0f} cards an hour without handling")


if __name__ == "__main__":
    start = time.perf_counter()
    main()
    print(f"{dt.timedelta(seconds=round(time.perf_counter() - start))}")
