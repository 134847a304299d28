"""A county's cards handed out and opened in bulk: on SQLite, and on PostgreSQL if installed.

Every act has its row in ``acts`` and its entry in the history; a thousand cards are refused.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import text

from benchmarks.lots import _person
from cardkit.registry.journal import Event
from cardkit.registry.lifecycle import Appearance, Appears, Lifecycle, load
from cardkit.registry.numbering import Numbering
from cardkit.registry.operators import Operator, Operators, Role
from cardkit.registry.operators.passwords import Cost
from cardkit.registry.records import BatchInfo
from cardkit.registry.registry import Registry, sqlite_url

CARDS = int(os.environ.get("CARDKIT_BENCHMARK_CARDS", "200000"))
REFUSED = CARDS // 200
_CHEAP = Cost(passes=1, lanes=1, kibibytes=64)  # passwords are not what is measured
_PASSWORD = "Tea-at-five-1"  # noqa: S105 - of people who do not exist
_LIST = Appearance(Appears.EMPLOYER, frozenset({"stamped-list"}))
_NOBODY = Appearance(Appears.NOBODY)
_NUMBERING = Numbering(card_prefix="A", card_first=1, serial_first=1, district="639900")


def main() -> None:
    """Print seconds of every step, and how busy the machine was."""
    with tempfile.TemporaryDirectory(prefix="cardkit-life-") as name:
        _run("SQLite", sqlite_url(Path(name) / "registry.db"))
    from tests import postgres  # noqa: PLC0415 - needs psycopg and Debian's programs

    with (
        contextlib.suppress(postgres.NoPostgresError),
        postgres.started(durable=True) as server,
    ):
        _run("PostgreSQL", server.database())


def _run(what: str, url: str) -> None:
    print(f"{what}, {CARDS:,} cards, load {os.getloadavg()[0]:.1f}", flush=True)
    with Registry.open(url, clock=lambda: dt.datetime.now(dt.UTC), actor="benchmark") as registry:
        crowd = [_person(number) for number in range(CARDS)]
        registry.enrol(crowd, _NUMBERING, BatchInfo("bench", "bench", CARDS))
        _as_if_made(registry)
        desk = _Desk(registry)
        desk.timed("hand-out", _LIST)
        desk.timed("open", _LIST)
        desk.timed("bank-open", _NOBODY, {"bank": "ICBC"})
        desk.timed("change-data", _NOBODY, {"status": "2"})
        desk.timed("suspend", _NOBODY)
        desk.timed("release", _NOBODY)


class _Desk:
    """The people who do it, and how long it takes them."""

    def __init__(self, registry: Registry) -> None:
        self._life = Lifecycle(registry.books, load())
        people = Operators(registry.books, cost=_CHEAP)
        root = people.init("root", "管理员", _PASSWORD)

        def add(login: str, role: Role) -> Operator:
            return people.add(login, login, [role], _PASSWORD, by=root)

        self._window = add("zhao", Role.WINDOW)
        self._county = add("li", Role.COUNTY)
        self._second = add("wang", Role.COUNTY)

    def timed(
        self, action: str, appearance: Appearance, details: Mapping[str, str] | None = None
    ) -> None:
        """Do it with every card, and with as many that do not exist as are to be refused."""
        rule = self._life.rules.of_action(action)[0]
        operator = self._window if self._window.has(*rule.roles) else self._county
        card_ids = list(range(1, CARDS + REFUSED + 1))
        began = time.perf_counter()
        approval = None
        if rule.second:
            approval = self._life.approvals.on_the_spot(
                action, card_ids, operator=operator, second=self._second
            ).number
        result = self._life.perform_many(
            action, card_ids, operator=operator, appearance=appearance, approval=approval,
            details=details or {},
        )  # fmt: skip
        seconds = time.perf_counter() - began
        assert (result.done, len(result.refused)) == (CARDS, REFUSED)
        print(
            f"  {action:<12} {seconds:6.2f} s {CARDS / seconds:9,.0f} cards/s"
            f"  load {os.getloadavg()[0]:.1f}",
            flush=True,
        )


def _as_if_made(registry: Registry) -> None:
    """Every card comes from a factory."""
    books = registry.books
    with books.store.writing() as connection:
        connection.execute(text("UPDATE cards SET state = 'issued'"))
        events = (Event("return", n, n, "ordered", "issued") for n in range(1, CARDS + 1))
        books.journal.append_many(connection, books.store.now(), events)
