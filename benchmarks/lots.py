"""A county's hand-out: 220,000 cards in 188 villages packed, merged, counted; stock and statistics.

In one process, on SQLite and on PostgreSQL where it is installed (a server of its own whose commits
wait for the disk). ``--database sqlite|postgresql`` does one of them; `CARDKIT_BENCHMARK_PEOPLE`
says how many people.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from cardkit.codec.numbers import citizen_check
from cardkit.registry.journal import Event
from cardkit.registry.lifecycle import Lifecycle, load
from cardkit.registry.lots import Lots, Outcome, OutcomeRow
from cardkit.registry.numbering import Numbering
from cardkit.registry.operators import Operator, Operators, Role
from cardkit.registry.people import Applicant
from cardkit.registry.places import PlaceRow, Places, Residence
from cardkit.registry.records import BatchInfo
from cardkit.registry.registry import Registry, sqlite_url
from cardkit.registry.statistics import Archive, Inspection, Statistics
from cardkit.registry.stock import Order, Stock

PEOPLE = int(os.environ.get("CARDKIT_BENCHMARK_PEOPLE", "220000"))
VILLAGES = 188
PASSWORD = "Tea-at-five-1"  # noqa: S105 - of people who do not exist


def main() -> None:
    """Print seconds and memory of every step, and how busy the machine was."""
    parser = argparse.ArgumentParser(prog="benchmarks lots")
    parser.add_argument("--database", choices=["sqlite", "postgresql"])
    only = parser.parse_args().database
    if only != "postgresql":
        with tempfile.TemporaryDirectory(prefix="cardkit-lots-") as name:
            _on("SQLite", sqlite_url(Path(name) / "registry.db"))
    if only == "sqlite":
        return
    from tests import postgres  # noqa: PLC0415 - needs psycopg and Debian's programs

    try:
        with postgres.started(durable=True) as server:
            _on("PostgreSQL", server.database())
    except postgres.NoPostgresError:
        print("  PostgreSQL is not installed: NOT MEASURED")


def _on(name: str, url: str) -> None:
    print(f"  {name}: {PEOPLE:,} people, {VILLAGES} villages; load {os.getloadavg()[0]:.1f}")
    with Registry.open(url, clock=lambda: dt.datetime.now(dt.UTC), actor="bench") as registry:
        _run(registry)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  memory           {memory:.0f} MB")


def _run(registry: Registry) -> None:
    books = registry.books
    people = Operators(books)
    root = people.init("root", "管理员", PASSWORD)
    county, first, second = (
        people.add(login, login, [role], PASSWORD, by=root)
        for login, role in (("li", Role.COUNTY), ("zhao", Role.WINDOW), ("qian", Role.WINDOW))
    )
    with _timed("enrol"):
        crowd = [_person(number) for number in range(PEOPLE)]
        rule = Numbering(card_prefix="A", card_first=1, serial_first=1, district="639900")
        registry.enrol(crowd, rule, BatchInfo("bench", "bench", PEOPLE))
        _as_if_made(registry)
    villages = [
        PlaceRow(f"V{at:03d}", "village", f"{at}村", "C", f"县{at:03d}村") for at in range(VILLAGES)
    ]
    Places(books).load([PlaceRow("C", "county", "县"), *villages], operator=county)
    with _timed("assign places"):
        assigned = Residence(books).assign_by_address(operator=county)
    assert assigned.new == PEOPLE
    with _timed("stock: receive"):
        Stock(books).do(
            Order("receive", "receipt", "C", "SJ0000001", f"SJ{PEOPLE:07d}"), operator=county
        )
    _hand_out(registry, county, first, second)
    with _timed("statistics"):
        table = Statistics(books).events(period="day")
        print(f"  {dict(zip(table.measures, table.totals, strict=True))}")
    with _timed("sample of 100"):
        Inspection(books).sample("hand-out", 100, seed="bench", operator=county)
    with _timed("archive"):
        Archive(books).bind("C", operator=county)
    with _timed("stock: verify"):
        assert not Stock(books).verify()


def _hand_out(registry: Registry, county: Operator, first: Operator, second: Operator) -> None:
    lots = Lots(registry.books, Lifecycle(registry.books, load()))
    with _timed(f"pack {VILLAGES} lots"):
        packed = lots.pack_villages("C", operator=county)
    assert sum(lot.count for lot in packed) == PEOPLE
    with _timed("out, merge, back, close"):
        for lot in packed:
            lots.out(
                lot.lot_id, operator=county, card_carrier=first.login, machine_carrier=second.login
            )
            pack = lots.pack_file(lot.lot_id)
            handed = [
                OutcomeRow(card.position, card.card_id, "handed") for card in pack.cards[:-20]
            ]
            outcome = Outcome(lot.lot_id, pack.digest, handed).sealed(pack.seal_key)
            assert not lots.merge(outcome, operator=first).conflicts
            back = [card.position for card in pack.cards[-20:]]
            lots.back(lot.lot_id, back, operator=county)
            assert lots.close(lot.lot_id, operator=county).lot.state == "closed"


def _as_if_made(registry: Registry) -> None:
    """Every card comes from a factory."""
    books = registry.books
    with books.store.writing() as connection:
        connection.execute(text("UPDATE cards SET state = 'issued'"))
        events = (Event("return", n, n, "ordered", "issued") for n in range(1, PEOPLE + 1))
        books.journal.append_many(connection, books.store.now(), events)


def _person(number: int) -> Applicant:
    day, rest = divmod(number, 1000)
    body = f"639900{1950 + day // 28 % 60}{day // 1680 + 1:02d}{day % 28 + 1:02d}{rest:03d}"
    citizen = body + citizen_check(body)
    village = number % VILLAGES
    return Applicant(
        number + 2, f"人{number}", citizen, citizen, "1", body[6:14], "639900", "01",
        address=f"县{village:03d}村{number}号",
    )  # fmt: skip


@contextmanager
def _timed(what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    print(f"  {what:<24} {time.perf_counter() - began:6.2f} s", flush=True)
