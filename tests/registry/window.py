"""One window as a program of its own: ``python -m tests.registry.window URL NAME FOLDER NUMBER``.

It makes cards on an in-process virtual reader until nothing waits for a card. Whoever kills it can
start it again with the same arguments: its chips are in its folder.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from pathlib import Path

from cardkit.issuance.batch import Batch, Event, What
from cardkit.issuance.keyring import Keyring
from cardkit.issuance.plan import tree_of
from cardkit.issuance.writer import Writer
from cardkit.keys.open_store import factors_above, open_store
from cardkit.profile import load
from cardkit.registry.registry import Registry
from cardkit.virtual.factory import CardFactory
from cardkit.virtual.feed import FIRST_SERIAL, VirtualFeed


def main() -> int:
    """Make cards; exit code 3 when something stopped the run."""
    url, name, folder, number = sys.argv[1:]
    profile = load("test")
    feed = VirtualFeed(CardFactory(profile), Path(folder), first=FIRST_SERIAL + (int(number) << 16))
    keyring = Keyring(open_store(profile), factors_above(profile), tree_of(profile))

    def committed(event: Event) -> None:
        if event.what is What.ISSUED:
            now = dt.datetime.now(dt.UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
            print(event.card_id, f"{now}Z", flush=True)  # noqa: T201

    with Registry.open(url, clock=lambda: dt.datetime.now(dt.UTC), actor=name) as registry:
        work = registry.worklist(window=name)
        wanted = {record.card_id for record in registry.list(["planned", "writing"])}
        writer = Writer(profile, registry, work, keyring, os.urandom)
        tally = Batch(writer, [feed], wanted, committed).run()
        work.close()
    if tally.stopped_by is not None:
        print(tally.stopped_by.message, file=sys.stderr)  # noqa: T201
    return 3 if tally.stopped_by else 0


if __name__ == "__main__":
    sys.exit(main())
