"""A window as its clerk sees it: a program that is started, a roster, cards, and what is left."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardkit.codec.numbers import citizen_check
from cardkit.profile import load
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.factory import CardFactory

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
    peak: int = 0
    """Largest memory in bytes, where it was measured."""

    @property
    def document(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    @property
    def complaint(self) -> str:
        """The one line that says what is wrong; the only one but for its hint."""
        first, *hint = self.err.splitlines()
        assert first.startswith("cardkit: "), self.err
        assert len(hint) <= 1 and all(line.startswith("  → ") for line in hint), self.err
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
        own = {name: os.environ[name] for name in _KEPT if name in os.environ}
        own |= {"HOME": str(self.folder), "CARDKIT_LANG": self.lang, "PYTHONIOENCODING": "utf-8"}
        return subprocess.Popen(
            [*wrapper, sys.executable, "-m", "cardkit", *map(str, arguments)],
            cwd=self.folder, env=own | (environment or {}), encoding="utf-8",
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
        self, roster: Path, *readers: str, registry: Path | None = None, idle: float | None = 3
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

    def in_reader(self, card: VirtualCard) -> Path:
        """Put a card into the virtual reader of the next run; returns its image."""
        folder = self.out / "virtual-cards"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{card.atr[-4:].hex().upper()}.in-reader"
        card.save(path)
        return path

    def records(self) -> list[dict[str, Any]]:
        """What the registry has."""
        done = self.run("registry", "list", "--registry", self.registry, "--json")
        assert done.code == 0, done.err
        records: list[dict[str, Any]] = done.document
        return records

    def states(self) -> list[str]:
        """States of the records, in their order."""
        return [record["state"] for record in self.records()]

    def correct(self, *cards: VirtualCard) -> None:
        """Every card is issued, reads back as its record says, and the history is whole."""
        records = self.records()
        for name in ("citizen_number", "card_number", "card_id_code"):
            assert len({record[name] for record in records}) == len(records), name
        registry = ("--registry", self.registry)
        for order, card in enumerate(cards):
            image = self.folder / f"check-{order}.card"
            card.save(image)
            done = self.run("card", "verify", "--image", image, "--profile", "test", *registry)
            assert done.code == 0, done.out
        assert self.run("registry", "audit", "--verify", *registry).code == 0

    def rejects(self) -> list[dict[str, str]]:
        """Rows of the only reject file, by heading."""
        (path,) = self.out.glob("rejects-*")
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def finished(program: subprocess.Popen[str]) -> Done:
    """Wait for the end of the program."""
    try:
        out, err = program.communicate(timeout=LONGEST_RUN)
    except subprocess.TimeoutExpired:
        program.kill()
        _, err = program.communicate()
        raise AssertionError(f"it did not end: {err[-2000:]}") from None
    return Done(program.returncode, out, err)
