"""A day of exchange that can be started again at any time: ``python -m ... FILE FOLDER POINT``.

The other sides are machines that answer what they got; their answers lie in files, as they would.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from cardkit.registry.exchange.errors import ExchangeError
from cardkit.registry.exchange.exchange import Receipt
from cardkit.registry.exchange.keeping import Batch
from cardkit.registry.exchange.writing import write
from tests.registry import children
from tests.registry.exchange.desk import CLERK, DAY, LAYOUTS, Desk, bank_card
from tests.registry.support import applicant, open_at

LOST = 2
"""Card that its holder reports to the bank as lost."""


def day(desk: Desk, folder: Path) -> None:
    """Whatever of the day was not done yet; every answer is taken again."""
    opening = _sent(desk, folder, "bank-opening", "bank")
    desk.take("bank-opening-return", desk.bank_answers(opening, failing=(1,)), "bank")
    again = _known(desk, lambda batch: batch.reissue_of == opening.batch.id)
    again = again or desk.exchange.reissue(opening.batch.id, operator=CLERK)
    _carry(desk, folder, again)
    desk.take("bank-opening-return", desk.bank_answers(again), "bank")
    order = _sent(desk, folder, "factory-order", "plant")
    desk.take("factory-return", desk.plant_answers(order), "plant")
    for layout, partner, rows in _questions():
        desk.take(layout, write(LAYOUTS[layout], rows, {"batch": "1", "date": DAY}), partner)
    _sent(desk, folder, "blacklist-full", "bank")


def _questions() -> Iterator[tuple[str, str, pl.DataFrame]]:
    person, lost = applicant(0), applicant(LOST - 1)
    asked = {"citizen_number": [person.citizen_number], "name": [person.name]}
    yield "state-inquiry", "agency", pl.DataFrame(asked)
    yield "comparison-police", "agency", pl.DataFrame(asked | {"name": ["张更正"]})
    reported = {"citizen_number": [lost.citizen_number], "bank_card_number": [bank_card(LOST)]}
    yield (
        "loss-report",
        "bank",
        pl.DataFrame(reported | {"kind": ["2"], "reported_at": ["20120501080000"]}),
    )


def _sent(desk: Desk, folder: Path, layout: str, partner: str) -> Receipt:
    """The batch of that layout, sent now if it was not, and its file with its carrier."""
    found = _known(desk, lambda batch: (batch.layout, batch.reissue_of) == (layout, None))
    receipt = found or desk.send(layout, partner)
    _carry(desk, folder, receipt)
    return receipt


def _known(desk: Desk, wanted: Callable[[Batch], bool]) -> Receipt | None:
    for batch in desk.exchange.batches():
        if wanted(batch):
            return desk.exchange.again(batch.id, operator=CLERK)
    return None


def _carry(desk: Desk, folder: Path, receipt: Receipt) -> None:
    batch = receipt.batch
    if not list(folder.glob(f"{Path(batch.name).stem}.*.age")):
        desk.custody.hand_over(batch.id, "original", folder, carrier="li", operator=CLERK)


def main(path: Path, folder: Path, point: int) -> int:
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
        day(desk, folder)
    return point - left


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
    except ExchangeError as error:
        sys.exit(error.message)
