"""A county with a bank, a factory and an agency, and a clerk who exchanges files with them."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pyrage
from sqlalchemy import insert, select

from cardkit import profile
from cardkit.codec.numbers import luhn_check
from cardkit.registry.exchange import catalogue
from cardkit.registry.exchange.custody import Custody
from cardkit.registry.exchange.exchange import Exchange, Receipt
from cardkit.registry.exchange.keeping import KeptFile
from cardkit.registry.exchange.proposals import Proposals
from cardkit.registry.exchange.reading import Content, read
from cardkit.registry.exchange.writing import write
from cardkit.registry.lifecycle import Appearance, Appears, Lifecycle, Request, rules
from cardkit.registry.operators.roles import Operator, Role
from cardkit.registry.registry import Registry
from cardkit.registry.schema import cards, history
from cardkit.registry.schema.operators import operators

CLERK = Operator(1, "li", "李某", frozenset({Role.COUNTY}))
WINDOW = Operator(3, "wang", "王某", frozenset({Role.WINDOW}))
OTHER_WINDOW = Operator(4, "zhao", "赵某", frozenset({Role.WINDOW}))
COLLEAGUE = Operator(5, "chen", "陈某", frozenset({Role.COUNTY}))
STAFF = (
    ("li", "county", ""),
    ("old", "county", "2012"),
    ("wang", "window", ""),
    ("zhao", "window", ""),
    ("chen", "county", ""),
)
"""Login, role, since when locked."""
LAYOUTS = catalogue.shipped()
DAY = "20120501"


def bank_card(index: int) -> str:
    """A bank card number that does not exist, with its check digit."""
    body = f"6217990{index:011d}"
    return body + luhn_check(body)


class Desk:
    """The clerk's table: an exchange with partners, over one registry."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.life = Lifecycle(registry.books, rules.load(profile.load("test")))
        self.exchange = Exchange(registry.books, life=self.life)
        self.identity = pyrage.x25519.Identity.generate()
        for partner in ("bank", "plant", "agency"):
            self.exchange.partners.set(
                partner, recipient=str(self.identity.to_public()), layouts=list(LAYOUTS)
            )
        with registry.books.store.writing() as connection:
            if connection.execute(select(operators.c.id)).first() is None:
                for number, (login, role, locked) in enumerate(STAFF, 1):
                    connection.execute(
                        insert(operators).values(
                            id=number, login=login, name="某", roles=role, locked_at=locked
                        )
                    )
        self.custody = Custody(registry.books, self.exchange)
        self.proposals = Proposals(registry.books, self.exchange)

    def approval(self, action: str, card_id: int, operator: Operator, second: Operator) -> int:
        """Of a second person, who is here."""
        approvals = self.life.approvals
        return approvals.on_the_spot(action, card_id, operator=operator, second=second).number

    def replace(self, card_id: int) -> None:
        """Its holder gets it, loses it, and has another one made."""
        given = self.approval("hand-out", card_id, WINDOW, OTHER_WINDOW)
        for action in ("hand-out", "report-loss", "replace"):
            appearance = Appearance(Appears.HOLDER, frozenset({"id"}))
            approval = given if action == "hand-out" else None
            self.life.perform(Request(action, card_id, WINDOW, appearance, approval))

    def data(self, file: KeptFile) -> bytes:
        with self.registry.books.store.reading() as connection:
            return self.exchange.keeping.content(connection, file)

    def file(self, receipt: Receipt, role: str) -> bytes:
        return self.data(next(file for file in receipt.files if file.role == role))

    def content(self, receipt: Receipt, role: str, layout: str) -> Content:
        return read(LAYOUTS[layout], self.file(receipt, role))

    def send(self, layout: str, partner: str, limit: int | None = None) -> Receipt:
        return self.exchange.send(layout, partner=partner, operator=CLERK, limit=limit)

    def take(self, layout: str, data: bytes, partner: str, name: str = "in.txt") -> Receipt:
        return self.exchange.receive(layout, data, partner=partner, operator=CLERK, name=name)

    def cards(self) -> pl.DataFrame:
        with self.registry.books.store.reading() as connection:
            rows = connection.execute(select(cards).order_by(cards.c.id)).mappings().all()
        return pl.DataFrame([dict(row) for row in rows], infer_schema_length=None)

    def events(self, action: str) -> list[str]:
        with self.registry.books.store.reading() as connection:
            query = select(history.c.detail).where(history.c.action == action)
            return list(connection.execute(query.order_by(history.c.sequence)).scalars())

    def refusals(self) -> list[str]:
        """Why something was refused, oldest first."""
        return [json.loads(detail)["reason"] for detail in self.events("exchange-refused")]

    # -- what the others answer -----------------------------------------------------------------

    def bank_answers(self, sent: Receipt, failing: tuple[int, ...] = ()) -> bytes:
        """The bank's list: rows in `failing` (counted from 1) have another name there."""
        layout = sent.batch.layout
        rows = self.content(sent, "original", layout).rows
        bad = pl.Series([at in failing for at in range(1, rows.height + 1)])
        numbers = pl.Series([bank_card(at) for at in range(1, rows.height + 1)])
        rows = rows.with_columns(
            pl.when(bad).then(pl.lit("")).otherwise(numbers).alias("bank_card_number"),
            pl.when(bad).then(pl.lit("1001")).otherwise(pl.lit("0000")).alias("result"),
            pl.when(bad).then(pl.lit("姓名不符")).otherwise(pl.lit("")).alias("text"),
        )
        values = {"agency": "bank", "batch": sent.batch.number, "date": DAY}
        return write(LAYOUTS[LAYOUTS[layout].answered_by], rows, values)

    def plant_answers(self, sent: Receipt, failing: tuple[int, ...] = ()) -> bytes:
        """The factory's list: rows in `failing` were not made."""
        rows = self.content(sent, "original", "factory-order").rows
        bad = pl.Series([at in failing for at in range(1, rows.height + 1)])
        atr = "3B6D00000087BF10028649" + pl.col("card_id_code").str.slice(0, 4)
        rows = rows.with_columns(
            pl.when(bad).then(pl.lit("02")).otherwise(pl.lit("00")).alias("result"),
            pl.when(bad)
            .then(pl.lit(""))
            .otherwise(atr + pl.col("card_id_code").str.slice(16, 8))
            .alias("atr"),
            pl.when(bad)
            .then(pl.lit(""))
            .otherwise(pl.col("card_id_code") + "CAFEBABE")
            .alias("card_id_code"),
        )
        values = {"batch": sent.batch.number, "date": DAY}
        return write(LAYOUTS["factory-return"], rows, values)


def write_identity(path: Path, desk: Desk) -> Path:
    path.write_text(f"# the bank's\n{desk.identity}\n", "ascii")
    return path
