"""Commands, bytes and seconds of one card on a real chip, at three speeds."""

from __future__ import annotations

import datetime as dt

from benchmarks.people import person
from cardkit.keys.open_store import open_store
from cardkit.profile import load
from cardkit.virtual.factory import CardFactory
from cardkit.virtual.rehearsal import rehearse

SERIAL = bytes.fromhex("40000001")
NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)


def main() -> None:
    """Rehearse the three kinds of card and print."""
    profile = load("test")
    store = open_store(profile)
    factory = CardFactory(profile, store=store)
    chips = {
        "pre-made, id code complete": factory.premade(SERIAL, complete=True),
        "pre-made, id code without MAC": factory.premade(SERIAL),
        "blank": factory.blank(SERIAL),
    }
    for words, chip in chips.items():
        done = rehearse(profile, person(1), chip, NOW, store)
        print(
            f"{words}: {done.commands} commands, {done.sent} bytes sent, {done.received} received"
        )
        for speed, seconds in done.seconds.items():
            print(f"  {speed:>7} bit/s {seconds:7.3f} s  {3600 / seconds:6.0f} cards an hour")


if __name__ == "__main__":
    main()
