"""A window as its clerk sees it: a program that is started, a roster, cards, and what is left."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardkit.apdu import Link
from cardkit.apdu.link import chain
from cardkit.card.card import Card
from cardkit.card.procedure import run
from cardkit.card.procedures.verify import Outcome, verify
from cardkit.cli.card_compare import compare
from cardkit.codec.numbers import citizen_check
from cardkit.issuance.plan import expected_card, tree_of
from cardkit.keys import CardKeySet
from cardkit.keys.open_store import factors_above, open_store
from cardkit.profile import load
from cardkit.registry.records import CardRecord
from cardkit.registry.registry import Registry, sqlite_url
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.factory import CardFactory
from cardkit.virtual.link import VirtualLink

HEADINGS = ("养老保险号", "姓名", "身份证号码", "地址", "联系电话", "民族")
LONGEST_RUN = 60  # seconds
_KEPT = ("PATH", "PCSCLITE_CSOCK_NAME", "LANG")

Row = tuple[str, ...]


def number(order: int, birth_date: str = "19900101") -> str:
    """A citizen number of the unassigned district 639900."""
    body = f"639900{birth_date}{order:03d}"
    return body + citizen_check(body)


def person(order: int, name: str = "张三", citizen: str = "") -> Row:
    """A row of a roster; nothing is wrong with it unless its parameters are."""
    return (f"6399{order:08d}", name, citizen or number(order), "测试市新区1号", "", "汉族")


@dataclass(frozen=True)
class Done:
    """How the program ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    @property
    def complaint(self) -> str:
        """The one line that says what is wrong; the only one but for its hint."""
        first, *hint = self.err.splitlines()
        assert first.startswith("cardkit: "), self.err
        assert len(hint) <= 1, self.err
        assert all(line.startswith("  → ") for line in hint), self.err
        return first.removeprefix("cardkit: ")


class Window:
    """Runs ``cardkit`` as a program of its own, in a folder of its own.

    Parameters
    ----------
    folder : Path
        Everything is in it.
    lang : str
        What the clerk reads.
    """

    def __init__(self, folder: Path, lang: str = "en") -> None:
        self.folder = folder
        self.lang = lang
        self.registry = folder / "registry.db"
        self.out = folder / "out"
        self.factory = CardFactory(load("test"))

    # --- running ---------------------------------------------------------------------------------

    def start(
        self,
        *arguments: object,
        environment: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
    ) -> subprocess.Popen[str]:
        """Start the program; ``wrapper`` is a command that starts it in turn."""
        program = ("-m", "cardkit", *arguments)
        return self.start_python(*program, environment=environment, wrapper=wrapper)

    def start_python(
        self,
        *arguments: object,
        environment: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
    ) -> subprocess.Popen[str]:
        """Start any program in Python."""
        own = {name: os.environ[name] for name in _KEPT if name in os.environ}
        own |= {"HOME": str(self.folder), "CARDKIT_LANG": self.lang, "PYTHONIOENCODING": "utf-8"}
        return subprocess.Popen(
            [*wrapper, sys.executable, *map(str, arguments)],
            cwd=self.folder, env={**own, **(environment or {})}, encoding="utf-8",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(
        self,
        *arguments: object,
        environment: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
    ) -> Done:
        """Run the program to its end."""
        return finished(self.start(*arguments, environment=environment, wrapper=wrapper))

    def issuing(
        self, roster: Path, *readers: str, registry: Path | None = None, idle: float | None = 2
    ) -> list[object]:
        """The command that makes the cards of a roster."""
        where = [word for reader in readers or ("virtual",) for word in ("--reader", reader)]
        wait = [] if idle is None or not readers else ["--idle", idle]
        return [
            "issue", roster, "--profile", "test", "--registry", registry or self.registry,
            "--out", self.out, *where, *wait,
        ]  # fmt: skip

    def issue(self, roster: Path, *readers: str) -> Done:
        """Make the cards of a roster; at the virtual reader unless others are named."""
        return self.run(*self.issuing(roster, *readers))

    # --- what there is ---------------------------------------------------------------------------

    def roster(self, *rows: Row, encoding: str = "utf-8", name: str = "roster.csv") -> Path:
        """A roster file."""
        path = self.folder / name
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file).writerows([HEADINGS, *rows])
        return path

    def people(self, count: int) -> Path:
        """A roster of people with whom nothing is wrong."""
        return self.roster(*(person(order) for order in range(1, count + 1)))

    def premade(self, order: int = 1) -> VirtualCard:
        """A card as the factory delivers it."""
        return self.factory.premade(order.to_bytes(4, "big"))

    def records(self) -> list[CardRecord]:
        """What the registry has."""
        with self._opened() as registry:
            return list(registry.list())

    def _opened(self) -> Registry:
        url = sqlite_url(self.registry)
        return Registry.open(url, clock=lambda: dt.datetime.now(dt.UTC), actor="test")

    def states(self) -> list[str]:
        """States of the records, in their order."""
        return [record.state for record in self.records()]

    def correct(self, *cards: VirtualCard) -> None:
        """Every person has one card, which reads back as its record says; the history is whole."""
        records = self.records()
        assert [record.state for record in records] == ["issued"] * len(cards)
        for name in ("citizen_number", "card_number", "card_id_code"):
            assert len({getattr(record, name) for record in records}) == len(records), name
        with self._opened() as registry:
            assert registry.verify_history().intact
            assert {failed for card in cards for failed in _failed(card, registry)} == set()
        assert {holder(card) for card in cards} == {record.citizen_number for record in records}

    def rejects(self) -> list[dict[str, str]]:
        """Rows of the only reject file, by heading."""
        (path,) = self.out.glob("rejects-*")
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def _session(card: VirtualCard) -> tuple[Card, Link, CardKeySet]:
    profile = load("test")
    card.insert()
    card.power_on()
    link = chain(VirtualLink(card))
    keys = CardKeySet.on_demand(open_store(profile), factors_above(profile), link.atr[-8:])
    return Card(tree_of(profile), link.atr), link, keys


def _failed(card: VirtualCard, registry: Registry) -> Iterator[str]:
    """Checks that a card does not stand."""
    profile = load("test")
    known, link, keys = _session(card)
    today = dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date()
    checking = verify(known, factor=bytes(8), expected=expected_card(profile), today=today)
    found = run(checking, link, keys)
    for check in (*found.checks, *compare(known.tree, profile, found.values, registry)):
        if check.outcome is not Outcome.OK:
            yield f"{card!r}: {check.name} {check.detail}"


def holder(card: VirtualCard) -> object:
    """Citizen number on a card."""
    known, link, keys = _session(card)
    return run(known.read(known.tree.find("SSSE.EF06.08")), link, keys)


def finished(program: subprocess.Popen[str]) -> Done:
    """Wait for the end of the program."""
    try:
        out, err = program.communicate(timeout=LONGEST_RUN)
    except subprocess.TimeoutExpired:
        program.kill()
        _, err = program.communicate()
        raise AssertionError(f"it did not end: {err[-2000:]}") from None
    return Done(program.returncode, out, err)


class Told:
    """What a running program says on standard error, line by line.

    Parameters
    ----------
    program : subprocess.Popen
        Started by `Window.start`.
    """

    def __init__(self, program: subprocess.Popen[str]) -> None:
        self.program = program
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.program.stderr is not None
        for line in self.program.stderr:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def wait_for(self, text: str, seconds: float = 20) -> str:
        """The first line with that text, once it was said."""

        def there() -> str | None:
            return next((line for line in self.lines if text in line), None)

        with self._news:
            assert self._news.wait_for(there, seconds), f"{text!r} was not said: {self.lines}"
            return str(there())

    def end(self, seconds: float = LONGEST_RUN) -> int:
        """Wait for the end of the program; returns its exit code."""
        try:
            code = self.program.wait(seconds)
        except subprocess.TimeoutExpired:
            self.program.kill()
            raise AssertionError(f"it did not end: {self.lines}") from None
        self._thread.join()
        for pipe in (self.program.stdin, self.program.stdout, self.program.stderr):
            if pipe is not None:
                pipe.close()
        return code
