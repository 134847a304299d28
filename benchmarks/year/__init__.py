"""A county's year: 220,000 people, 188 villages, a set clock; at the end every count reconciles."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.year.measuring import Meter
from benchmarks.year.reconciling import show
from benchmarks.year.story import tell
from cardkit.registry.registry import sqlite_url
from tests import postgres

PEOPLE, VILLAGES = 220_000, 188


def main(arguments: list[str] | None = None) -> None:
    """Tell the story; a difference at its end is named and fails the run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks year", description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--villages", type=int, default=VILLAGES)
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    wish = parser.parse_args(arguments)
    print(f"{wish.people:,} people in {wish.villages} villages, {wish.database}", flush=True)
    with tempfile.TemporaryDirectory(prefix="cardkit-year-") as name:
        folder = Path(name)
        if wish.database == "sqlite":
            differences = _run(sqlite_url(folder / "registry.db"), folder, wish, Meter())
        else:
            with postgres.started(durable=True) as server:
                differences = _run(server.database(), folder, wish, Meter(server.folder))
    if differences:
        raise SystemExit(f"{differences} counts do not agree")


def _run(url: str, folder: Path, wish: argparse.Namespace, meter: Meter) -> int:
    with meter:
        checks = tell(url, folder, people=wish.people, villages=wish.villages, meter=meter)
    show(checks)
    meter.total()
    return sum(not check.agrees for check in checks)
