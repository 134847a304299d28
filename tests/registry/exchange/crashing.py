"""A day of exchange that can be started again at any time: ``python -m ... FOLDER POINT``.

The other sides are machines that answer what they got; their answers lie in files, as they would.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from cardkit.registry.exchange.errors import ExchangeError
from cardkit.registry.exchange.exchange import Receipt
from cardkit.registry.exchange.writing import write
from tests.registry import children
from tests.registry.exchange.desk import DAY, LAYOUTS, Desk
from tests.registry.support import applicant, open_at

SENT = (
    ("bank-opening", "bank", "bank-opening-return"),
    ("factory-order", "plant", "factory-return"),
)


def day(desk: Desk) -> None:
    """Send what was not sent, take every answer (again), hand over what goes out."""
    for layout, partner, answer in SENT:
        batch = _sent(desk, layout, partner)
        data = desk.plant_answers(batch) if partner == "plant" else desk.bank_answers(batch)
        desk.take(answer, data, partner)
    person = applicant(0)
    rows = pl.DataFrame({"citizen_number": [person.citizen_number], "name": [person.name]})
    asked = write(LAYOUTS["state-inquiry"], rows, {"batch": "1", "date": DAY})
    desk.take("state-inquiry", asked, "agency")


def _sent(desk: Desk, layout: str, partner: str) -> Receipt:
    for batch in desk.exchange.batches():
        if (batch.direction, batch.layout) == ("out", layout):
            with desk.registry.books.store.reading() as connection:
                return Receipt(batch, tuple(desk.exchange.keeping.files(connection, batch.id)))
    return desk.send(layout, partner)


def main(path: Path, point: int) -> int:
    """Work until durable commit number `point` (before or after it), and die there."""
    left = point

    def count(_when: str) -> None:
        nonlocal left
        left -= 1
        if not left:
            children.kill_this_process()

    with open_at(path) as registry:
        desk = Desk(registry)  # its own commits are not the day's
        registry.books.store._on_commit = count
        day(desk)
    return point - left


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), int(sys.argv[2]))
    except ExchangeError as error:
        sys.exit(error.message)
