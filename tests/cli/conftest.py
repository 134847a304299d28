"""The command line as a user meets it: arguments in, two streams and an exit code out."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cardkit.apdu.link import chain
from cardkit.card.files.codings import Value
from cardkit.cli.main import main
from cardkit.issuance.keyring import Keyring
from cardkit.issuance.plan import tree_of
from cardkit.issuance.writer import Issued, Writer
from cardkit.keys.open_store import factors_above, open_store
from cardkit.profile import load
from cardkit.registry.numbering import Numbering
from cardkit.registry.people import Applicant
from cardkit.registry.records import BatchInfo
from cardkit.registry.registry import Registry, sqlite_url
from cardkit.virtual.factory import CardFactory
from cardkit.virtual.link import VirtualLink

NAME = "买买提艾力·阿卜杜热合曼·吐尔逊江"  # 34 bytes: continues in the extension item
NUMBER = "63990019850317002X"
CARD_NUMBER = "A00000011"

VALUES: dict[str, Value] = {
    "SSSE.EF05.05": dt.date(2020, 5, 1),
    "SSSE.EF05.06": dt.date(2099, 5, 1),
    "SSSE.EF05.07": CARD_NUMBER,
    "SSSE.EF06.08": NUMBER,
    "SSSE.EF06.09": NAME[:15],
    "SSSE.EF06.4E": NAME[15:],
    "SSSE.EF06.0A": "2",
    "SSSE.EF06.0B": "05",
    "SSSE.EF06.0C": "639900",
    "SSSE.EF06.0D": "19850317",
    "DF01.EF08.2B": "2",
    "DF03.EF05.61": "201201",
    "DF03.EF19.79.4": {"tag_1c": "123456"},
}


@dataclass(frozen=True)
class Result:
    """What a run of the program left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output, which must be exactly one JSON document."""
        return json.loads(self.out)


Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of the user who runs the tests: own home, own settings, own directory, own umask."""
    for name in [n for n in os.environ if n.startswith(("CARDKIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the program: ``run("card", "read", stdin="…")``."""

    def run_it(*arguments: object, stdin: str = "") -> Result:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run_it


@pytest.fixture(scope="session")
def _delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Card images as the factory delivers them."""
    folder = tmp_path_factory.mktemp("images")
    factory = CardFactory(load("test"))
    factory.blank(bytes.fromhex("00000001")).save(folder / "blank.card")
    factory.premade(bytes.fromhex("00000002")).save(folder / "premade.card")
    factory.issued(bytes.fromhex("00000003"), VALUES).save(folder / "issued.card")
    return folder


@pytest.fixture
def images(_delivered: Path, tmp_path: Path) -> Path:
    """A folder with blank.card, premade.card and issued.card, for this test alone."""
    return Path(shutil.copytree(_delivered, tmp_path / "images"))


PEOPLE = [
    Applicant(2, NAME, NUMBER, NUMBER, "2", "19850317", "639900", "05", phone="12900000001"),
    Applicant(3, "张三", "639900199001010012", "63", "1", "19900101", "639900"),
    Applicant(4, "李四", "639900199001010020", "64", "2", "19900101", "639900"),
]


@pytest.fixture(scope="session")
def _kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry of three people, of whom the first has a card, and the image of that card."""
    folder = tmp_path_factory.mktemp("registry")
    profile = load("test")
    keyring = Keyring(open_store(profile), factors_above(profile), tree_of(profile))
    numbering = Numbering("T", 1, 1, profile.region.city)
    url = sqlite_url(folder / "registry.db")

    def clock() -> dt.datetime:
        return dt.datetime(2020, 5, 1, 3, tzinfo=dt.UTC)

    with Registry.open(url, clock=clock, actor="test") as registry:
        registry.enrol(PEOPLE, numbering, BatchInfo("roster.csv", "00", 3))
        chip = CardFactory(profile).premade(bytes.fromhex("00A00139"))
        writer = Writer(profile, registry, registry.worklist(), keyring, os.urandom)
        assert isinstance(writer.process(chain(VirtualLink(chip)), "reader A"), Issued)
    chip.power_off()
    chip.save(folder / "first.card")
    return folder


@pytest.fixture
def registry(_kept: Path, tmp_path: Path) -> Path:
    """Registry file; ``first.card`` beside it is the card of record 1. For this test alone."""
    return Path(shutil.copytree(_kept, tmp_path / "kept")) / "registry.db"
