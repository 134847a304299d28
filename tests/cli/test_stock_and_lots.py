"""``cardkit stock``, ``lot`` and ``registry places|statistics|sample|archive``: one county day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyrage
import pytest

from cardkit.cli.common import now
from cardkit.registry.operators import Operators, Role
from cardkit.registry.operators.passwords import Cost
from cardkit.registry.registry import Registry, sqlite_url
from tests.cli.conftest import NAME, NUMBER, Result, Run

PASSWORD = "Tea-at-five-1"
CHEAP = Cost(passes=1, lanes=1, kibibytes=64)
PEOPLE = {"li": Role.COUNTY, "wang": Role.COUNTY, "zhao": Role.WINDOW, "qian": Role.WINDOW,
          "sun": Role.INSPECTOR}  # fmt: skip
PLACES = "code,kind,name,parent\nC,county,测试县,\nV,village,测试村,C\nW,window,一号窗口,C\n"


class Desk:
    """The program in the hands of somebody who is signed in."""

    def __init__(self, run: Run, registry: Path) -> None:
        self.run = run
        self.registry = registry

    def __call__(self, who: str, *words: object, stdin: str = "", code: int = 0) -> Result:
        done = self.run(*words, "--operator", who, "--registry", self.registry, stdin=stdin)
        assert done.code == code, done.err
        return done

    def json(self, who: str, *words: object, stdin: str = "", code: int = 0) -> Any:
        return self(who, *words, "--json", stdin=stdin, code=code).document


@pytest.fixture
def desk(run: Run, registry: Path, tmp_path: Path) -> Desk:
    """The registry of three people, of whom the first has a card; everybody is signed in."""
    with Registry.open(sqlite_url(registry), clock=now, actor="test") as opened:
        people = Operators(opened.books, cost=CHEAP)
        root = people.init("root", "管理员", PASSWORD)
        for login, role in PEOPLE.items():
            people.add(login, f"测试{login}", [role], PASSWORD, by=root)
    for login in PEOPLE:
        signed = run("operator", "sign-in", login, "--password-stdin", "--registry", registry,
                     stdin=PASSWORD + "\n")  # fmt: skip
        assert signed.code == 0, signed.err
    desk = Desk(run, registry)
    (tmp_path / "places.csv").write_text(PLACES, "utf-8")
    (tmp_path / "who.csv").write_text("card_id,place\n1,V\n", "utf-8")
    desk("li", "registry", "places", "load", tmp_path / "places.csv")
    desk("li", "registry", "places", "assign", tmp_path / "who.csv")
    return desk


def test_stock_from_delivery_to_destruction(desk: Desk, registry: Path, run: Run) -> None:
    desk("li", "stock", "receive", "psam", "--at", "C", "--first", "P0001", "--last", "P0010")
    moved = desk.json("li", "stock", "move", "psam", "--at", "C", "--to", "W", "--first", "P0003",
                      "--second", "wang", stdin=PASSWORD + "\n")  # fmt: skip
    assert (moved["numbers"], moved["second"]) == ("P0003", "wang")
    desk("zhao", "stock", "spoil", "psam", "--at", "W", "--first", "P0003", "--reason", "dead-chip")
    words = ("stock", "destroy", "psam", "--at", "W", "--first", "P0003", "--minutes", "XH-1")
    alone = desk("li", *words, code=4)
    assert "双人" in alone.err
    asked = desk.json("li", *words, "--ask")
    desk("wang", "approval", "grant", asked["number"])
    desk("li", *words, "--approval", asked["number"])

    balance = run("stock", "balance", "--numbers", "--json", "--registry", registry).document
    assert [(b["place"], b["state"], b["count"], b["numbers"]) for b in balance] == [
        ("C", "held", 9, "P0001-P0002, P0004-P0010"),
        ("W", "destroyed", 1, "P0003"),
    ]
    count = desk.json("li", "stock", "count", "psam", "--at", "C", "--range", "P0001:P0002",
                      "--range", "P0005:P0010", code=1)  # fmt: skip
    assert [(d["what"], d["numbers"]) for d in count["differences"]] == [("missing", "P0004")]
    trace = ("stock", "show", "psam", "P0003", "--registry", registry)
    for told, lang in (("入库 调拨 作废 销毁", "zh"), ("receive move spoil destroy", "en")):
        shown = run(*trace, "--lang", lang).out
        assert [line.split()[3] for line in shown.splitlines()[1:]] == told.split()
    assert run("stock", "show", "--verify", "--registry", registry).code == 0


def test_a_village_day_with_encrypted_files(
    desk: Desk, registry: Path, run: Run, tmp_path: Path
) -> None:
    machine, centre = (pyrage.x25519.Identity.generate() for _ in range(2))
    for name, identity in (("machine.key", machine), ("centre.key", centre)):
        (tmp_path / name).write_text(f"{identity}\n", "ascii")
    desk("li", "stock", "receive", "pos", "--at", "C", "--first", "POS1")
    (lot,) = desk.json("li", "lot", "pack", "C", "--each-village")
    desk("li", "lot", "take", lot["lot"], tmp_path / "pack.age", "--to", machine.to_public())
    desk("li", "lot", "take", lot["lot"], tmp_path / "clear.json")
    clear = (tmp_path / "clear.json").read_text("utf-8")
    assert NAME not in clear
    assert NUMBER not in clear
    assert NUMBER.encode() not in (tmp_path / "pack.age").read_bytes()
    same = desk("li", "lot", "out", lot["lot"], "--cards", "zhao", "--with-machine", "zhao", code=4)
    assert "卡机分离" in same.err
    desk("li", "lot", "out", lot["lot"], "--cards", "zhao", "--with-machine", "qian",
         "--machine", "POS1")  # fmt: skip

    head = "position,outcome,appeared,agent_name,agent_number\n"
    rows = f"{head}1,handed,agent,测试代,639900198001019995\n"
    (tmp_path / "rows.csv").write_text(rows, "utf-8")
    sealing = ("lot", "take-down", tmp_path / "pack.age", tmp_path / "rows.csv",
               tmp_path / "outcome.age", "--identity", tmp_path / "machine.key")  # fmt: skip
    assert run(*sealing).code == 2  # an agent's name does not leave in clear
    assert run(*sealing, "--to", centre.to_public()).code == 0
    merge = ("lot", "merge", tmp_path / "outcome.age", "--identity", tmp_path / "centre.key")
    assert desk.json("zhao", *merge)["handed"] == 1
    assert desk.json("zhao", *merge)["again"]
    desk("li", "lot", "back", lot["lot"])
    closed = desk.json("li", "lot", "close", lot["lot"])
    assert (closed["state"], closed["handed"]) == ("closed", 1)
    assert run("registry", "show", "1", "--json", "--registry", registry).code != 0
    assert desk.json("sun", "registry", "show", "1")["state"] == "handed_out"


def test_a_conflict_is_exit_code_1(desk: Desk, tmp_path: Path, run: Run) -> None:
    (lot,) = desk.json("li", "lot", "pack", "V")
    desk("li", "lot", "take", lot["lot"], tmp_path / "pack.json")
    desk("li", "lot", "out", lot["lot"], "--cards", "zhao", "--with-machine", "qian")
    (tmp_path / "rows.csv").write_text("position,outcome\n1,handed\n1,returned\n", "utf-8")
    down = run("lot", "take-down", tmp_path / "pack.json", tmp_path / "rows.csv",
               tmp_path / "outcome.json", "--json")  # fmt: skip
    assert not down.document["sealed"]  # a list in clear has no key

    merge = ("lot", "merge", tmp_path / "outcome.json")
    assert "复核" in desk("zhao", *merge, code=4).err
    result = desk.json("zhao", *merge, "--second", "li", stdin=PASSWORD + "\n", code=1)

    assert [c["kind"] for c in result["conflicts"]] == ["twice"]
    changed = (tmp_path / "outcome.json").read_text("utf-8").replace("returned", "handed")
    (tmp_path / "changed.json").write_text(changed, "utf-8")
    asked = desk.json("zhao", "lot", "merge", tmp_path / "changed.json", "--ask")
    refused = ("lot", "merge", tmp_path / "changed.json", "--approval", asked["number"])
    desk("zhao", *refused, code=4)


def test_a_lot_packed_by_mistake_is_unpacked_until_it_is_out(
    desk: Desk, run: Run, registry: Path
) -> None:
    lot = desk.json("li", "lot", "pack", "V")[0]["lot"]
    undone = desk.json("li", "lot", "unpack", lot, "--reason", "other")
    assert (undone["state"], undone["unknown"]) == ("unpacked", 0)
    listed = run("lot", "list", "--state", "unpacked", "--registry", registry, "--json")
    assert [one["lot"] for one in listed.document] == [lot]

    again = desk.json("li", "lot", "pack", "V")[0]["lot"]
    desk("li", "lot", "out", again, "--cards", "zhao", "--with-machine", "qian")
    assert again in desk("li", "lot", "unpack", again, "--reason", "other", code=2).err


def test_what_a_spreadsheet_saved_in_gb18030_is_read(desk: Desk, tmp_path: Path, run: Run) -> None:
    (lot,) = desk.json("li", "lot", "pack", "V")
    desk("li", "lot", "take", lot["lot"], tmp_path / "pack.json")
    rows = "position,outcome,备注\n1,returned,不在家\n"
    for encoding, code in (("gb18030", 0), ("utf-16", 2)):
        (tmp_path / "rows.csv").write_text(rows, encoding)
        done = run("lot", "take-down", tmp_path / "pack.json", tmp_path / "rows.csv",
                   tmp_path / "outcome.json")  # fmt: skip
        assert done.code == code
    assert "请另存为 UTF-8" in done.err


def test_an_employer_collects(desk: Desk, tmp_path: Path, run: Run, registry: Path) -> None:
    (tmp_path / "e.csv").write_text("code,kind,name,parent\nE,employer,测试厂,C\n", "utf-8")
    (tmp_path / "list.csv").write_text("card_id,place\n1,E\n", "utf-8")
    desk("li", "registry", "places", "load", tmp_path / "e.csv")
    desk("li", "registry", "places", "assign", tmp_path / "list.csv", "--employers")
    lot = desk.json("li", "lot", "pack", "E", "--kind", "employer")[0]["lot"]
    stdin = f"单位经办\n639900197001010013\n{PASSWORD}\n"
    done = desk.json("zhao", "lot", "pick-up", lot, "--second", "li", stdin=stdin)
    assert (done["state"], done["card_carrier"]) == ("out", "employer E")
    assert (
        run("lot", "show", lot, "--registry", registry).code != 0
    )  # whose clerk is not said to all
    assert desk.json("sun", "lot", "show", lot)["clerk"] == "单位经办"


def test_cards_made_are_booked_out_of_stock(
    desk: Desk, registry: Path, run: Run, tmp_path: Path
) -> None:
    desk("li", "stock", "receive", "blank-card", "--at", "W", "--count", "1")
    run("roster", "sample", "2", "--seed", "9", "--out", tmp_path / "more.csv")
    made = run("issue", tmp_path / "more.csv", "--profile", "test", "--reader", "virtual",
               "--registry", registry, "--stock-place", "W", "--operator", "zhao")  # fmt: skip
    assert "W 账上只有 1 张空白卡" in made.err
    assert "无空白卡" in made.err
    balance = run("stock", "balance", "--json", "--registry", registry).document
    assert [(b["kind"], b["state"], b["count"]) for b in balance] == [("blank-card", "used", 1)]
    unknown = run("issue", tmp_path / "more.csv", "--profile", "test", "--reader", "virtual",
                  "--registry", registry, "--stock-place", "X", "--operator", "zhao")  # fmt: skip
    assert unknown.code == 2
    wrong = desk.json(
        "li", "stock", "receive", "psam", "--at", "C", "--first", "P1", "--last", "P9"
    )
    taken = desk.json("li", "stock", "correct", wrong["move_id"], "--first", "P5", "--last", "P9",
                      "--reason", "wrong-data",
                      "--second", "wang", stdin=PASSWORD + "\n")  # fmt: skip
    assert (taken["action"], taken["corrects"], taken["count"]) == ("correct", wrong["move_id"], 5)


def test_statistics_and_inspection(desk: Desk, registry: Path, run: Run, tmp_path: Path) -> None:
    table = run("registry", "statistics", "--by", "year", "--json", "--registry", registry,
                "--out", tmp_path / "t.xlsx", "--out", tmp_path / "t.svg")  # fmt: skip
    assert table.document["totals"]["made"] == 1
    assert table.document["rows"][0]["place"] == "V"
    assert (tmp_path / "t.svg").read_bytes().startswith(b"<svg")
    standing = run("registry", "statistics", "--standing", "--json", "--registry", registry)
    assert standing.document["totals"] == {"issued": 1, "planned": 2}

    drawn = desk.json("sun", "registry", "sample", "draw", "issue", 5)
    number = drawn["sample_id"]
    assert (drawn["size"], drawn["population"]) == (1, 1)
    desk("sun", "registry", "sample", "result", number, 1, "papers")
    again = desk("sun", "registry", "sample", "result", number, 1, "fine", code=2)
    assert "更正" in again.err
    desk("sun", "registry", "sample", "result", number, 1, "fine", "--correct")
    shown = desk("sun", "registry", "sample", "show", number, "--again", "--json")
    assert (shown.code, shown.document["same"]) == (0, True)
    assert shown.document["items"][0]["said"] == 2
    (listed,) = desk.json("sun", "registry", "sample", "list")
    assert listed == {key: value for key, value in shown.document.items() if key != "same"}

    desk("li", "registry", "archive", "bind", "C")
    (volume,) = run("registry", "archive", "list", "--json", "--registry", registry).document
    assert (volume["place"], volume["people"]) == ("V", 1)
    lend = (
        "registry",
        "archive",
        "lend",
        volume["volume_id"],
        "--to",
        "稽核科",
        "--purpose",
        "抽查",
    )
    desk("zhao", *lend)
    desk("zhao", *lend, code=2)
    desk("zhao", "registry", "archive", "back", volume["volume_id"])
    assert run("registry", "archive", "register", "--registry", registry).code != 0
    register = desk.json("sun", "registry", "archive", "register")
    assert [loan["back_by"] for loan in register] == ["zhao"]
    listed = run("registry", "places", "list", "--registry", registry)
    assert "测试村" in listed.out
    assert "2人未归属" in listed.err


@pytest.mark.parametrize("returned", ["x", "1-", "3,-4"])
def test_positions_nobody_can_read(desk: Desk, returned: str) -> None:
    desk("li", "lot", "back", "L000001", "--returned", returned, code=2)


def test_nobody_works_without_signing_in(run: Run, registry: Path, desk: Desk) -> None:
    assert desk("li", "lot", "pack", "V").code == 0
    done = run("stock", "receive", "psam", "--at", "C", "--first", "P1", "--registry", registry,
               "--operator", "root")  # fmt: skip
    assert done.code == 4
