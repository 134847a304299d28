"""December: statistics, an inspection, the archive, the count of the stock, everybody's state."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from benchmarks.year.county import COUNTY, FACTORY, STORE
from benchmarks.year.office import YEAR, Office
from cardkit.registry.schema.cards import people
from cardkit.registry.statistics import Archive, Inspection, Statistics
from cardkit.registry.statistics.archive import Volume
from cardkit.registry.statistics.inspection import Sample
from cardkit.registry.statistics.tables import Table
from cardkit.registry.stock import Order

SAMPLE = 100
STOLEN = 2  # blank cards that the count misses


@dataclass
class Closing:
    """What the closing of the year showed."""

    by_month: Table
    standing: Table
    sample: Sample
    drawn_again: bool
    volumes: list[Volume]
    bound: int
    first_count: str  # the difference that was named
    answered: dict[str, int]  # state -> people


def close(office: Office) -> Closing:
    """Do all of it."""
    office.clock.to(12, 21)
    office.tally["lapsed"] += office.life.lapse()
    layout = "blacklist-delta"
    office.terminals.take(office.send(layout, office.terminals)[1], layout)
    named = _count_stock(office)
    sample, again = _inspect(office)
    bound = Archive(office.books).bind(COUNTY, operator=office["li"])
    statistics = Statistics(office.books)
    return Closing(
        statistics.events(period="month", level="township"),
        statistics.standing(level="township"),
        sample,
        again,
        Archive(office.books).list(),
        bound,
        named,
        _ask_states(office),
    )


def _count_stock(office: Office) -> str:
    """What broke is destroyed; two cards are missing, are named, and written off by two people."""
    broken = office.factory.said["broken"]
    order = Order(
        "destroy", "blank-card", FACTORY, count=broken, spoilt=True, minutes="XH1", reason="damaged"
    )
    office.move(order, second=True)
    office.shelf["blank-card", STORE] -= STOLEN
    first = office.stock.reconcile(
        STORE, "blank-card", operator=office["li"], second=office["wang"],
        count=office.shelf["blank-card", STORE],
    )  # fmt: skip
    named = "; ".join(f"{one.what} {one.count}" for one in first.differences)
    order = Order("write-off", "blank-card", STORE, count=STOLEN, minutes="PK1")
    office.move(order, second=True)
    return named


def _inspect(office: Office) -> tuple[Sample, bool]:
    """An inspector looks at acts drawn by chance; one result is corrected, both stay."""
    room, sun = Inspection(office.books), office["sun"]
    sample = room.sample("hand-out", SAMPLE, seed=f"{YEAR}", operator=sun)
    for item in sample.items:
        result = "signature" if item.position % 50 == 1 else "fine"
        room.say(sample.sample_id, item.position, result, operator=sun)
    room.say(sample.sample_id, 1, "fine", operator=sun, correct=True, note="signed on the back")
    return room.show(sample.sample_id), room.again(sample.sample_id)


def _ask_states(office: Office) -> dict[str, int]:
    """Before the payment the agency asks for everybody [D34]."""
    with office.store.reading() as connection:
        query = select(people.c.citizen_number, people.c.name).order_by(people.c.id)
        everybody = [(row[0], row[1]) for row in connection.execute(query)]
    data = office.agency.ask_states(everybody, f"{YEAR}", f"{YEAR}1221")
    receipt = office.take("state-inquiry", data, office.agency)
    rows = office.agency.opened(office.carried(receipt, "reply"), "state-answer").rows
    return dict(rows.group_by("state").len().iter_rows())
