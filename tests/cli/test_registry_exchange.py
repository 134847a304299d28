"""``cardkit registry exchange`` as the county's clerk uses it, from signing in on."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pyrage
import pytest

from cardkit.cli import common
from cardkit.registry.exchange import catalogue
from cardkit.registry.exchange.exchange import Exchange
from cardkit.registry.exchange.reading import read
from cardkit.registry.exchange.sealing import is_sealed, open_sealed, seal
from cardkit.registry.exchange.writing import write
from cardkit.registry.operators import passwords
from cardkit.registry.operators.passwords import Cost
from tests.cli.conftest import Result, Run
from tests.registry.exchange.desk import CLERK, bank_card
from tests.registry.support import crowd, enrol, open_at

PEOPLE = 3
PASSWORD = "Tea-at-five"
LI, CHEN, BOSS = (("--operator", login) for login in ("li", "chen", "boss"))


@pytest.fixture
def path(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry with people; li and chen of the county and the administrator are signed in."""
    dear, cheap = passwords.hashed, Cost(passes=1, lanes=1, kibibytes=64)
    monkeypatch.setattr(passwords, "hashed", lambda password, _cost: dear(password, cheap))
    place = tmp_path / "registry.db"
    with open_at(place) as registry:
        enrol(registry, crowd(PEOPLE))
        monkeypatch.setattr(common, "now", registry.books.store._clock)
    monkeypatch.setenv("CARDKIT_REGISTRY", str(place))
    done(run("operator", "init", "boss", "--name", "管理员", stdin=PASSWORD))
    done(run("operator", "sign-in", "boss", stdin=PASSWORD))
    for login in ("li", "chen"):
        done(
            run("operator", "add", login, "--name", "某", "--role", "county", *BOSS, stdin=PASSWORD)
        )
        done(run("operator", "sign-in", login, stdin=PASSWORD))
    return place


@pytest.fixture
def bank(tmp_path: Path, run: Run, path: Path) -> pyrage.x25519.Identity:
    """A partner whose key lies in bank.key; every layout is agreed upon."""
    assert path.exists()
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "bank.key").write_text(f"{identity}\n", "ascii")
    agreed = [word for name in catalogue.shipped() for word in ("--layout", name)]
    arguments = ("partner", "bank", "--recipient", identity.to_public(), *agreed)
    assert exchange(run, *arguments, *LI).code == 4
    done(exchange(run, *arguments, *BOSS))
    return identity


def done(result: Result) -> Result:
    assert result.code == 0, result.err
    return result


def exchange(run: Run, *arguments: object) -> Result:
    return run("registry", "exchange", *arguments)


def export(run: Run, tmp_path: Path, *more: object) -> Result:
    wanted = ("bank-opening", "--to", "bank", "--out", tmp_path, "--json")
    return exchange(run, "export", *wanted, *more)


def answered(path: Path, failing: tuple[int, ...]) -> bytes:
    """What the bank says to batch 1."""
    with open_at(path) as registry:
        room = Exchange(registry.books)
        sent = room.again(1, operator=CLERK)
        with registry.books.store.reading() as connection:
            data = room.keeping.content(connection, sent.files[0])
    rows = read(catalogue.shipped()["bank-opening"], data).rows
    bad = pl.Series([at in failing for at in range(1, rows.height + 1)])
    rows = rows.with_columns(
        bank_card_number=pl.when(bad)
        .then(pl.lit(""))
        .otherwise(pl.Series([bank_card(at) for at in range(1, rows.height + 1)])),
        result=pl.when(bad).then(pl.lit("1001")).otherwise(pl.lit("0000")),
        text=pl.lit(""),
    )
    values = {"agency": "bank", "batch": sent.batch.number, "date": "20120501"}
    return write(catalogue.shipped()["bank-opening-return"], rows, values)


def test_layouts_are_listed_and_shown(run: Run) -> None:
    listed = exchange(run, "layouts", "--json")
    assert {one["name"] for one in json.loads(listed.out)} == set(catalogue.shipped())
    shown = exchange(run, "show", "bank-columns-return")
    assert "回盘" in shown.out
    assert "money, fen" in shown.out
    assert "required, key, serial" in shown.out
    amount = exchange(run, "show", "bank-batch", "--json").document["fields"][2]
    assert (amount["unit"], amount["holds"]) == ("yuan", "amount")
    assert exchange(run, "show", "none").code == 2
    shown = exchange(run, "show", "deduction-xml")
    assert "gbk, XML LF" in shown.out
    assert "rows    <GZELINK/BODY/TRANS_DETAILS/TRANS_DETAIL>" in shown.out
    assert "<SN>, required, key, serial" in shown.out
    told = exchange(run, "show", "bank-opening-xml", "--json").document
    assert told["xml"]["rows"] == "GZELINK/BODY/TRANS_DETAILS/TRANS_DETAIL"
    assert [one["tag"] for one in told["fields"]][2:4] == ["NAME", "ID"]


def test_nobody_who_is_not_signed_in_exchanges_anything(
    run: Run, bank: pyrage.x25519.Identity, tmp_path: Path
) -> None:
    assert bank
    assert export(run, tmp_path, "--operator", "wang").code == 4
    assert export(run, tmp_path, *BOSS).code == 4  # signed in, but not of the county agency
    done(run("operator", "sign-off", *LI))
    assert export(run, tmp_path, *LI).code == 4
    assert list(tmp_path.glob("KK*")) == []


def test_a_list_goes_out_and_its_answer_comes_in(
    run: Run, bank: pyrage.x25519.Identity, tmp_path: Path, path: Path
) -> None:
    key = tmp_path / "bank.key"
    written = Path(done(export(run, tmp_path, *LI)).document["written"][0])
    assert written.name == "KK_bank_000001.li.txt.age"
    asked = open_sealed(written.read_bytes(), key)
    assert read(catalogue.shipped()["bank-opening"], asked).rows.height == PEOPLE
    file = tmp_path / "KK_bank_000001_R.txt.age"
    file.write_bytes(seal(answered(path, failing=(2,)), str(bank.to_public())))
    arguments = ("import", file, "--layout", "bank-opening-return", "--from", "bank",
                 "--out", tmp_path, "--json", *LI)  # fmt: skip
    assert exchange(run, *arguments).code == 2  # sealed, and no identity named
    taken = exchange(run, *arguments, "--identity", key)
    assert taken.code == 1, taken.err
    said = taken.document
    assert (said["done"], said["failed"], said["known"]) == (2, 1, False)
    for name in said["written"]:
        assert is_sealed(Path(name).read_bytes())
    success = tmp_path / "KK_bank_000001_R.bank-opening-return.success.li.txt.age"
    assert bank_card(1).encode() in open_sealed(success.read_bytes(), key)
    assert exchange(run, *arguments, "--identity", key).document["known"]
    looked = done(exchange(run, "look", "2", *LI))
    assert looked.out.splitlines()[1].endswith("|与登记不符")
    assert "bank-opening-return" in exchange(run, "status").out
    resent = exchange(run, "reissue", "1", "--out", tmp_path, "--json", *LI)
    assert resent.document["rows"] == 1


def test_the_file_of_an_earlier_batch_is_written_again(
    run: Run, bank: pyrage.x25519.Identity, tmp_path: Path
) -> None:
    assert bank
    key = tmp_path / "bank.key"
    first = Path(done(export(run, tmp_path, *LI)).document["written"][0])
    asked = open_sealed(first.read_bytes(), key)
    first.unlink()
    again = exchange(run, "export", "--again", "1", "--out", tmp_path, "--carrier", "chen",
                     "--json", *LI)  # fmt: skip
    assert done(again).document["known"]
    (second,) = map(Path, again.document["written"])
    assert second.name == "KK_bank_000001.chen.txt.age"
    assert open_sealed(second.read_bytes(), key) == asked
    assert len(exchange(run, "status", "--json").document) == 1
    assert exchange(run, "export", "bank-opening", "--again", "1", *LI).code == 2
    assert exchange(run, "export", *LI).code == 2


def test_nothing_leaves_in_clear_unless_the_profile_says_so(
    run: Run, bank: pyrage.x25519.Identity, tmp_path: Path
) -> None:
    assert bank
    refused = export(run, tmp_path, "--plain", *LI)
    assert refused.code == 4
    assert refused.document["error"]["code"] == "clear"
    assert exchange(run, "status", "--json").document == []  # refused before anything was done
    profile = tmp_path / "lax.toml"
    region = '[region]\nprovince = "63"\ncity = "639900"\n'
    profile.write_text(f"{region}[exchange]\nplain_files = true\n", "utf-8")
    sealed = export(run, tmp_path, "--profile", profile, *LI)  # allowed is not asked for
    assert is_sealed(Path(done(sealed).document["written"][0]).read_bytes())
    plain = exchange(run, "export", "--again", "1", "--plain", "--profile", profile,
                     "--out", tmp_path, "--json", *LI)  # fmt: skip
    (file,) = map(Path, done(plain).document["written"])
    assert file.name == "KK_bank_000001.li.txt"
    assert crowd(1)[0].name in file.read_text("gb18030")


def test_differences_are_accepted_or_declined(
    run: Run, bank: pyrage.x25519.Identity, tmp_path: Path
) -> None:
    assert bank
    people = crowd(PEOPLE)
    rows = pl.DataFrame(
        {
            "citizen_number": [p.citizen_number for p in people],
            "name": ["张更正", "李更正", people[2].name],
        }
    )
    layout = catalogue.shipped()["comparison-police"]
    file = tmp_path / "GA_bank_1.txt"
    file.write_bytes(write(layout, rows, {"batch": "1", "date": "20120501"}))
    compared = exchange(run, "compare", file, "--source", "police", "--from", "bank",
                        "--out", tmp_path, "--json", *LI)  # fmt: skip
    assert compared.document["failed"] == 2
    listed = done(exchange(run, "proposals", "list", "--json", *LI)).document
    assert [one["theirs"] for one in listed] == ["张更正", "李更正"]
    accept = ("proposals", "accept", "1", "--second", "chen", *LI, "--json")
    accepted = done(run("registry", "exchange", *accept, stdin=PASSWORD)).document
    assert accepted["act"]["action"] == "change-data"
    declined = exchange(run, "proposals", "decline", "2", "--why", "other-person", *CHEN)
    assert "declined: other-person" in done(declined).out
    assert done(exchange(run, "proposals", "list", *LI, "--json")).document == []
    told = exchange(run, "proposals", "list", "--state", "all", *LI, "--json").document
    assert [(one["state"], one["decided_by"]) for one in told] == [
        ("accepted", "li"), ("declined", "chen"),
    ]  # fmt: skip
    assert exchange(run, "proposals", "list", *BOSS).code == 4


def test_a_bad_file_is_told_in_one_line_with_its_line(
    run: Run, bank: pyrage.x25519.Identity, tmp_path: Path
) -> None:
    assert bank
    file = tmp_path / "KK.txt"
    file.write_bytes("测试县|1|20120501|0\n".encode("gb18030"))
    result = exchange(run, "import", file, "--layout", "bank-opening-return",
                      "--from", "bank", "--lang", "en", "--json", *LI)  # fmt: skip
    assert result.code == 2
    error = result.document["error"]
    assert error["message"] == "KK.txt: line 1: ends in LF, not in CRLF"
    assert error["faults"][0]["code"] == "line-end"


def test_every_fault_is_told_by_its_line(
    run: Run, bank: pyrage.x25519.Identity, tmp_path: Path
) -> None:
    assert bank
    file = tmp_path / "CX.txt"
    file.write_bytes("1|20120501|2\n1|x\n2|x|张\n3|x\n4|x\n".encode("gb18030"))
    wanted = ("import", file, "--layout", "state-inquiry", "--from", "bank", *LI)
    assert exchange(run, *wanted, "--lang", "en").err.splitlines() == [
        "cardkit: CX.txt: line 2: has 2 fields, not 3 (and 2 more)",
        "  line 4-5: has 2 fields, not 3",
        "  → nothing was changed; let the sender repair the file and send it again",
    ]
    assert exchange(run, *wanted).err.splitlines()[1] == "  第4-5行有2个字段，应为3个"


def test_a_card_that_is_left_out_is_told_in_the_language_of_whoever_reads_it(
    run: Run, bank: pyrage.x25519.Identity, tmp_path: Path
) -> None:
    assert bank
    shipped = Path(catalogue.__file__).with_name("layouts") / "bank-opening.toml"
    text = shipped.read_text("utf-8").replace(
        'title = "姓名", width = 50', 'title = "姓名", width = 2'
    )
    (tmp_path / "ours.toml").write_text(text, "utf-8")
    none = export(run, tmp_path, "--layouts", tmp_path, *LI)
    assert none.code == 2
    assert "3张卡的数据不符，第一张为第1号记录（name 姓名过长）" in none.err
    text = text.replace('"姓名", width = 2,', '"姓名", width = 50, pattern = ".*[12]",')
    (tmp_path / "ours.toml").write_text(text, "utf-8")
    some = export(run, tmp_path, "--layouts", tmp_path, *LI)
    assert (some.code, some.document["rows"]) == (1, 2)
    assert "第1号卡记录未列入：name 姓名格式不对" in some.err


def test_an_identity_that_others_can_read_is_pointed_at(
    run: Run, bank: pyrage.x25519.Identity, tmp_path: Path
) -> None:
    key, file = tmp_path / "bank.key", tmp_path / "CX.txt.age"
    file.write_bytes(seal(b"1|20120501|0\n", str(bank.to_public())))
    wanted = ("import", file, "--layout", "state-inquiry", "--from", "bank", "--out", tmp_path)
    for mode, told in ((0o600, False), (0o640, True)):
        key.chmod(mode)
        result = done(exchange(run, *wanted, "--identity", key, *LI))
        assert ("others can read the identity file" in result.err) == told


def test_the_lists_take_language_and_operator_as_the_others(
    run: Run, bank: pyrage.x25519.Identity
) -> None:
    assert bank
    for words in (("status",), ("partner", "list"), ("partner",), ("show", "difference")):
        done(exchange(run, *words, "--lang", "en", *LI))
    assert exchange(run, "status", "--operator", "nobody").code == 4
    assert exchange(run, "partner", "list", "--operator", "nobody").code == 4
    listed = done(exchange(run, "partner", "list", "--json")).document
    assert [one["name"] for one in listed] == ["bank"]
