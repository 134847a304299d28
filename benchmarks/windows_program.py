"""One window of ``benchmarks.windows``: opens, makes its chips, says so, and works when told to.

``python -m benchmarks.windows_program URL NUMBER CHIPS``. The chips are virtual and in memory, and
made before the measurement, as a stack of cards lies ready at a window.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from cardkit.apdu import Link
from cardkit.apdu.link import chain
from cardkit.issuance.batch import Batch
from cardkit.issuance.feed import FeedEmpty, Obstacle, Stop
from cardkit.issuance.keyring import Keyring
from cardkit.issuance.plan import tree_of
from cardkit.issuance.writer import Writer
from cardkit.keys.open_store import factors_above, open_store
from cardkit.profile import load
from cardkit.registry.registry import Registry
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.factory import CardFactory
from cardkit.virtual.link import VirtualLink

_FIRST_SERIAL = 0x40000000


class Stack:
    """A reader and the pre-made chips beside it."""

    name = "stack"

    def __init__(self, chips: list[VirtualCard]) -> None:
        self._chips = chips

    @contextmanager
    def next_card(self, stop: Stop, obstacle: Obstacle) -> Iterator[Link | None]:  # noqa: ARG002
        """See `cardkit.issuance.feed.Feed`."""
        if not self._chips:
            raise FeedEmpty
        if stop():
            yield None
            return
        yield chain(VirtualLink(self._chips.pop()))


def main() -> None:
    """Make cards until nobody waits for one; print how many, and the processor's seconds."""
    url, number, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    profile = load("test")
    factory = CardFactory(profile)
    first = _FIRST_SERIAL + (number << 16)
    chips = [factory.premade((first + n).to_bytes(4, "big"), complete=True) for n in range(count)]
    keyring = Keyring(open_store(profile), factors_above(profile), tree_of(profile))
    with Registry.open(url, clock=lambda: dt.datetime.now(dt.UTC), actor="benchmark") as registry:
        wanted = [record.card_id for record in registry.list(["planned"])]
        work = registry.worklist(wanted, window=f"window {number}")
        batch = Batch(Writer(profile, registry, work, keyring, os.urandom), [Stack(chips)],
                      set(wanted))  # fmt: skip
        print("ready", flush=True)
        sys.stdin.readline()
        began = sum(os.times()[:2])
        tally = batch.run()
        used = sum(os.times()[:2]) - began
        work.close()
    if tally.stopped_by is not None:
        sys.exit(tally.stopped_by.message)
    print(len(tally.issued), tally.seconds, used, flush=True)


if __name__ == "__main__":
    main()
