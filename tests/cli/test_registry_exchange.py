"""``cardkit registry exchange`` as the county's clerk uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pyrage
import pytest

from cardkit.cli import common, desk
from cardkit.registry.exchange import catalogue
from cardkit.registry.exchange.reading import read
from cardkit.registry.exchange.sealing import open_sealed, seal
from cardkit.registry.operators import Operator, Role
from tests.cli.conftest import Run
from tests.registry.exchange.desk import Desk, bank_card
from tests.registry.support import crowd, enrol, open_at

PEOPLE = 3


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry with people; li is signed in and has both roles that exchange needs."""
    place = tmp_path / "registry.db"
    with open_at(place) as registry:
        enrol(registry, crowd(PEOPLE))
        Desk(registry)
        monkeypatch.setattr(common, "now", registry.books.store._clock)
    li = Operator(1, "li", "李某", frozenset({Role.COUNTY, Role.ADMINISTRATOR}))
    monkeypatch.setattr(desk, "signed_in", lambda _registry, _ctx: li)
    monkeypatch.setenv("CARDKIT_REGISTRY", str(place))
    return place


@pytest.fixture
def bank(tmp_path: Path, run: Run, path: Path) -> pyrage.x25519.Identity:
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "bank.key").write_text(f"{identity}\n", "ascii")
    assert path.exists()
    result = run(
        "registry", "exchange", "partner", "bank", "--recipient", identity.to_public(),
        "--layout", "bank-opening", "--layout", "bank-opening-return",
    )  # fmt: skip
    assert result.code == 0
    assert "bank-opening bank-opening-return" in result.out
    return identity


def test_layouts_are_listed_and_shown(run: Run) -> None:
    listed = run("registry", "exchange", "layouts", "--json")
    assert {one["name"] for one in json.loads(listed.out)} == set(catalogue.shipped())
    shown = run("registry", "exchange", "show", "bank-columns-return")
    assert "回盘" in shown.out
    assert run("registry", "exchange", "show", "none").code == 2


def test_a_list_goes_out_and_its_answer_comes_in(
    run: Run, bank: pyrage.x25519.Identity, tmp_path: Path, path: Path
) -> None:
    sent = run("registry", "exchange", "export", "bank-opening", "--to", "bank",
               "--out", tmp_path, "--json")  # fmt: skip
    assert sent.code == 0, sent.err
    written = Path(json.loads(sent.out)["written"][0])
    assert written.name == "KK_bank_000001.li.txt.age"
    asked = open_sealed(written.read_bytes(), tmp_path / "bank.key")
    rows = read(catalogue.shipped()["bank-opening"], asked).rows
    assert rows.height == PEOPLE
    with open_at(path) as registry:
        table = Desk(registry)  # of the bank: it agrees on every layout, which changes nothing here
        batch = table.exchange.batches()[0]
        with registry.books.store.reading() as connection:
            files = tuple(table.exchange.keeping.files(connection, batch.id))
        from cardkit.registry.exchange.exchange import Receipt  # noqa: PLC0415

        answer = table.bank_answers(Receipt(batch, files), failing=(2,))
    file = tmp_path / "KK_bank_000001_R.txt.age"
    file.write_bytes(seal(answer, str(bank.to_public())))
    arguments = ("registry", "exchange", "import", file, "--layout", "bank-opening-return",
                 "--from", "bank", "--out", tmp_path, "--json")  # fmt: skip
    assert run(*arguments).code == 2  # sealed, and no identity named
    taken = run(*arguments, "--identity", tmp_path / "bank.key")
    assert taken.code == 1, taken.err
    said = json.loads(taken.out)
    assert (said["done"], said["failed"], said["known"]) == (2, 1, False)
    assert bank_card(1).encode() in (tmp_path / "KK_bank_000001_R.success.txt").read_bytes()
    again = run(*arguments, "--identity", tmp_path / "bank.key")
    assert json.loads(again.out)["known"]
    listed = run("registry", "exchange", "status")
    assert "bank-opening-return" in listed.out
    resent = run("registry", "exchange", "reissue", "1", "--out", tmp_path, "--json")
    assert json.loads(resent.out)["rows"] == 1


def test_a_bad_file_is_told_in_one_line_with_its_line(
    run: Run, bank: pyrage.x25519.Identity, tmp_path: Path
) -> None:
    assert bank
    file = tmp_path / "KK.txt"
    file.write_bytes("测试县|1|20120501|0\n".encode("gb18030"))
    result = run("registry", "exchange", "import", file, "--layout", "bank-opening-return",
                 "--from", "bank", "--lang", "en", "--json")  # fmt: skip
    assert result.code == 2
    error = json.loads(result.out)["error"]
    assert error["message"] == "KK.txt: line 1: ends in LF, not in CRLF"
    assert error["faults"][0]["code"] == "line-end"
