"""The other ends: bank, factory, agency, terminals, police. Each keeps books of its own."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import polars as pl
import pyrage

from benchmarks.year.county import Citizen, County
from cardkit.codec.numbers import luhn_check
from cardkit.registry.exchange import catalogue
from cardkit.registry.exchange.reading import Content, read
from cardkit.registry.exchange.writing import write

LAYOUTS = catalogue.shipped()
_ATR_HEAD = "3B6D00000087BF10028649"
_MAC = "CAFEBABE"
_SPOILT_IN = 500  # one card in so many is not made


class Partner:
    """Somebody files come from and go to; opens what was sealed for it."""

    name = ""
    layouts: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._identity = pyrage.x25519.Identity.generate()
        self.recipient = str(self._identity.to_public())
        self.said: Counter[str] = Counter()

    def opened(self, path: Path, layout: str) -> Content:
        """The rows of a sealed file."""
        data: bytes = pyrage.decrypt(path.read_bytes(), [self._identity])
        content = read(LAYOUTS[layout], data, name=path.name)
        self.said[f"{layout} received"] += content.rows.height
        return content


class Bank(Partner):
    """Checks names with the police, opens accounts, hears of losses."""

    name = "bank"
    layouts = ("bank-opening", "bank-opening-return", "loss-report")

    def __init__(self, county: County) -> None:
        super().__init__()
        self._county = county
        self.accounts: dict[str, str] = {}  # bank card number -> citizen number

    def open_accounts(self, path: Path) -> bytes:
        """Its answer to a list."""
        asked = self.opened(path, "bank-opening")
        numbers, results = [], []
        for citizen, name in asked.rows.select("citizen_number", "name").iter_rows():
            right = self._county.citizens[citizen].name == name
            numbers.append(self._new_account(citizen) if right else "")
            results.append("0000" if right else "1001")
        self.said.update(results)
        rows = asked.rows.with_columns(
            pl.Series("bank_card_number", numbers, dtype=pl.String),
            pl.Series("result", results, dtype=pl.String),
            pl.lit("").alias("text"),
        )
        return write(LAYOUTS["bank-opening-return"], rows, asked.header)

    def _new_account(self, citizen: str) -> str:
        body = f"6217990{len(self.accounts) + 1:011d}"
        number = body + luhn_check(body)
        self.accounts[number] = citizen
        return number

    def report_losses(self, losses: list[tuple[str, str]], batch: str, now: str) -> bytes:
        """What its customers told it: citizen number, bank card number."""
        rows = pl.DataFrame(
            {
                "citizen_number": [citizen for citizen, _ in losses],
                "bank_card_number": [number for _, number in losses],
                "kind": ["2"] * len(losses),
                "reported_at": [now] * len(losses),
            }
        )
        self.said["losses"] += len(losses)
        return write(LAYOUTS["loss-report"], rows, {"batch": batch, "date": now[:8]})


class Factory(Partner):
    """Makes cards out of blank ones; some break."""

    name = "factory"
    layouts = ("factory-order", "factory-return")

    def make(self, path: Path) -> tuple[bytes, int, int]:
        """Its return list; how many were made, and how many spoilt."""
        order = self.opened(path, "factory-order")
        at = pl.int_range(1, pl.len() + 1)
        few = order.rows.height < _SPOILT_IN
        spoilt = (at % _SPOILT_IN == 7) | ((at == 1) & pl.lit(few and order.rows.height > 5))
        code = pl.col("card_id_code")
        atr = pl.lit(_ATR_HEAD) + code.str.slice(0, 4) + code.str.slice(16, 8)
        rows = order.rows.with_columns(
            pl.when(spoilt).then(pl.lit("02")).otherwise(pl.lit("00")).alias("result"),
            pl.when(spoilt).then(pl.lit("")).otherwise(atr).alias("atr"),
            pl.when(spoilt).then(pl.lit("")).otherwise(code + _MAC).alias("card_id_code"),
        )
        broken = int((rows["result"] != "00").sum())
        self.said.update({"made": rows.height - broken, "broken": broken})
        answer = write(LAYOUTS["factory-return"], rows, order.header)
        return answer, rows.height - broken, broken


class Agency(Partner):
    """Keeps which insurance number has which card number [D3]."""

    name = "agency"
    layouts = ("card-number-delta", "state-inquiry", "state-answer")

    def __init__(self) -> None:
        super().__init__()
        self.card_of: dict[str, str] = {}

    def take_list(self, path: Path) -> None:
        """A list that came back with 卡号 added."""
        with path.open(encoding="gb18030", newline="") as file:
            for row in csv.DictReader(file):
                self.card_of[row["养老保险号"]] = row["卡号"]

    def take_changes(self, path: Path) -> None:
        """New numbers after replacements; the old one has to be the one it knows."""
        content = self.opened(path, "card-number-delta")
        names = ("insurance_number", "old_card_number", "card_number")
        for insurance, old, new in content.rows.select(names).iter_rows():
            if self.card_of.get(insurance) != old:
                self.said["changes of a number it did not know"] += 1
            self.card_of[insurance] = new

    def ask_states(self, people: list[tuple[str, str]], batch: str, day: str) -> bytes:
        """Before a payment: who holds which card, in which state? Citizen number, name."""
        rows = pl.DataFrame(people, schema=["citizen_number", "name"], orient="row")
        self.said["asked"] += rows.height
        return write(LAYOUTS["state-inquiry"], rows, {"batch": batch, "date": day})


class Terminals(Partner):
    """Whoever runs the terminals: keeps the blacklist [D16]."""

    name = "terminals"
    layouts = ("blacklist-full", "blacklist-delta")

    def __init__(self) -> None:
        super().__init__()
        self.stopped: dict[str, str] = {}  # card number -> reason

    def take(self, path: Path, layout: str) -> None:
        """A whole list, or what changed."""
        content = self.opened(path, layout)
        if layout == "blacklist-full":
            self.stopped = dict(content.rows.select("card_number", "reason").iter_rows())
            return
        for change, number, reason in content.rows.select(
            "change", "card_number", "reason"
        ).iter_rows():
            if change == "+":
                self.stopped[number] = reason
            else:
                del self.stopped[number]


class Police(Partner):
    """Knows everybody; the data of the ID win [D17]."""

    name = "police"
    layouts = ("comparison-police", "difference")

    def everybody(self, citizens: list[Citizen], batch: str, day: str) -> bytes:
        """Its yearly list."""
        rows = pl.DataFrame(
            {
                "citizen_number": [one.number for one in citizens],
                "name": [one.name for one in citizens],
                "sex": [one.sex for one in citizens],
                "nation": [one.nation for one in citizens],
                "birth_date": [one.birth for one in citizens],
            }
        )
        return write(LAYOUTS["comparison-police"], rows, {"batch": batch, "date": day})

    def differences(self, path: Path) -> list[tuple[str, str, str]]:
        """Citizen number, field and its value, of each difference."""
        rows = self.opened(path, "difference").rows.filter(pl.col("kind") == "differs")
        return list(rows.select("citizen_number", "field", "theirs").iter_rows())
