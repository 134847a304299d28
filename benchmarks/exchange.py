"""A million rows: sent to a bank, its answer taken, a batch inquiry answered.

On SQLite and, where it is installed, on PostgreSQL. Each step runs in a process of its own, so that
its memory is its own: the limit of 60 s and 1 GB is for one file, imported and answered.
``CARDKIT_BENCH_OPENING=bank-opening-xml`` measures the same as XML, ``CARDKIT_BENCH_ROWS`` with
fewer rows.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from cardkit.codec.numbers import citizen_check, luhn_check
from cardkit.registry.exchange import catalogue
from cardkit.registry.exchange.exchange import Exchange, Receipt
from cardkit.registry.exchange.reading import read
from cardkit.registry.exchange.writing import write
from cardkit.registry.numbering import Numbering
from cardkit.registry.operators.roles import Operator, Role
from cardkit.registry.people import Applicant
from cardkit.registry.records import BatchInfo
from cardkit.registry.registry import Registry, sqlite_url

ROWS = int(os.environ.get("CARDKIT_BENCH_ROWS", "1000000"))
_OPENING = os.environ.get("CARDKIT_BENCH_OPENING", "bank-opening")
_RETURN = catalogue.shipped()[_OPENING].answered_by
_NUMBERING = Numbering(card_prefix="A", card_first=0, serial_first=1, district="639900")
_PART = 50_000
_CLERK = Operator(1, "li", "", frozenset({Role.COUNTY}))
_DAY = "20300101"


def main() -> None:
    """Print seconds, rows a second and memory of every step."""
    with tempfile.TemporaryDirectory(prefix="cardkit-exchange-") as name:
        _run("SQLite", sqlite_url(Path(name) / "registry.db"), Path(name))
    from tests import postgres  # noqa: PLC0415 - needs psycopg and Debian's programs

    with (
        contextlib.suppress(postgres.NoPostgresError),
        postgres.started(durable=True) as server,
        tempfile.TemporaryDirectory(prefix="cardkit-exchange-") as name,
    ):
        _run("PostgreSQL", server.database(), Path(name))


def _run(what: str, url: str, directory: Path) -> None:
    print(f"{what}, {ROWS:,} rows")
    for step in (_enrol, _send, _bank, _take, _ask, _inquire):
        process = multiprocessing.get_context("spawn").Process(target=step, args=(url, directory))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(f"{step.__name__} failed")


def _open(url: str) -> Registry:
    return Registry.open(url, clock=lambda: dt.datetime.now(dt.UTC), actor="benchmark")


def _person(number: int) -> Applicant:
    day, rest = divmod(number, 1000)
    body = f"639900{1950 + day // 300}{day % 300 // 25 + 1:02d}{day % 25 + 1:02d}{rest:03d}"
    citizen = body + citizen_check(body)
    return Applicant(
        row=number + 2,
        name=f"张测{chr(0x4E00 + number % 2000)}",
        citizen_number=citizen,
        insurance_number=citizen,
        sex="1",
        birth_date=body[6:14],
        birthplace="639900",
        nation="01",
        address=f"测试县测试乡第{number % 188}村",
        phone="13900000001",
    )


def _enrol(url: str, _directory: Path) -> None:
    with _open(url) as registry:
        for start in range(0, ROWS, _PART):
            people = [_person(number) for number in range(start, min(start + _PART, ROWS))]
            batch = BatchInfo(f"roster {start}", f"{start:064d}", len(people))
            registry.enrol(people, _NUMBERING, batch)
        exchange = Exchange(registry.books)
        for partner in ("bank", "agency"):
            exchange.partners.set(partner, layouts=list(catalogue.shipped()))


def _timed(what: str, work: Callable[[], Receipt]) -> Receipt:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.perf_counter()
    receipt = work()
    seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    batch = receipt.batch
    print(
        f"  {what:<24} {seconds:6.2f} s {batch.rows / seconds:9,.0f} rows/s"
        f" {memory:5.0f} MB ({before:.0f} before); {batch.done:,} done, {batch.failed:,} failed",
        flush=True,
    )
    return receipt


def _send(url: str, directory: Path) -> None:
    with _open(url) as registry:
        exchange = Exchange(registry.books)
        receipt = _timed(
            "send the list",
            lambda: exchange.send(_OPENING, partner="bank", operator=_CLERK),
        )
        with registry.books.store.reading() as connection:
            (directory / "list").write_bytes(exchange.keeping.content(connection, receipt.files[0]))


def _bank(_url: str, directory: Path) -> None:
    """The other side: one in a hundred fails."""
    rows = read(catalogue.shipped()[_OPENING], (directory / "list").read_bytes()).rows
    numbers = [f"6217990{at:011d}" for at in range(rows.height)]
    rows = rows.with_columns(
        pl.Series("bank_card_number", [number + luhn_check(number) for number in numbers]),
        pl.when(pl.int_range(pl.len()) % 100 == 7)
        .then(pl.lit("1001"))
        .otherwise(pl.lit("0000"))
        .alias("result"),
        pl.lit("").alias("text"),
    )
    values = {"agency": "bank", "batch": "000001", "date": _DAY}
    answer = write(catalogue.shipped()[_RETURN], rows, values)
    (directory / "answer").write_bytes(answer)


def _take(url: str, directory: Path) -> None:
    data = (directory / "answer").read_bytes()
    with _open(url) as registry:
        exchange = Exchange(registry.books)
        _timed(
            f"take the answer, {len(data) / 1e6:.0f} MB",
            lambda: exchange.receive(
                _RETURN, data, partner="bank", operator=_CLERK, name="answer.txt"
            ),
        )


def _ask(_url: str, directory: Path) -> None:
    people = [_person(number) for number in range(ROWS)]
    rows = pl.DataFrame(
        {"citizen_number": [p.citizen_number for p in people], "name": [p.name for p in people]}
    )
    values = {"batch": "1", "date": _DAY}
    (directory / "question").write_bytes(write(catalogue.shipped()["state-inquiry"], rows, values))


def _inquire(url: str, directory: Path) -> None:
    data = (directory / "question").read_bytes()
    with _open(url) as registry:
        exchange = Exchange(registry.books)
        _timed(
            f"answer a question, {len(data) / 1e6:.0f} MB",
            lambda: exchange.receive(
                "state-inquiry", data, partner="agency", operator=_CLERK, name="question.txt"
            ),
        )
