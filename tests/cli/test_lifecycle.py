"""``cardkit lifecycle``, ``operator`` and ``approval``: an office at work from the command line."""

from __future__ import annotations

import itertools
import json
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from cardkit.cli import places
from cardkit.cli.lifecycle_text import COMMANDS
from cardkit.registry.lifecycle import load
from tests.cli.conftest import NAME, Result, Run
from tests.cli.staff import PASSWORD, done, sign_in, staff


@pytest.fixture
def staffed(run: Run, registry: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The registry with four people; all but the administrator are signed in."""
    staff(run, registry, monkeypatch)
    return registry


def hand_out(run: Run) -> Result:
    return run(
        "lifecycle", "hand-out", "1", "--paper", "id", "--second", "zhao", "--operator", "wang",
        "--json", stdin=PASSWORD,
    )  # fmt: skip


def state(run: Run) -> str:
    return str(done(run("lifecycle", "legal", "1", "--json")).document["state"])


def test_a_card_from_the_window_to_its_replacement(run: Run, staffed: Path) -> None:
    act = done(hand_out(run)).document
    assert (act["action"], act["to_state"]) == ("hand-out", "handed_out")
    wang = ("--operator", "wang", "--json", "--paper", "id", "--paper", "card")
    assert done(run("lifecycle", "activate", 1, *wang)).document["to_state"] == "active"
    lost = done(run("lifecycle", "report-loss", 1, "--temporary", *wang)).document
    assert lost["to_state"] == "temporarily_lost"
    assert lost["lapses_at"]
    assert done(run("lifecycle", "find", 1, *wang)).document["to_state"] == "active"
    done(run("lifecycle", "report-loss", 1, *wang))
    said = done(run("lifecycle", "replace", 1, *wang[:2], *wang[3:], "--lang", "en")).out
    assert "record 4 is planned in its place" in said
    assert state(run) == "replaced"
    assert done(run("registry", "audit", "--verify", "--json")).document["intact"]
    shown = done(run("registry", "show", 1)).out
    assert NAME not in shown
    assert staffed.exists()


def test_a_second_person_approves_from_another_place(run: Run, staffed: Path) -> None:
    assert staffed.exists()
    asked = done(run("approval", "request", "hand-out", 1, "--operator", "wang", "--json")).document
    assert run("approval", "grant", asked["number"], "--operator", "wang").code == 4
    done(run("approval", "grant", asked["number"], "--operator", "zhao"))
    card = ("lifecycle", "hand-out", 1, "--operator", "wang", "--paper", "id")
    assert run(*card).code == 4
    done(run(*card, "--approval", asked["number"]))
    (listed,) = done(run("approval", "list", "--operator", "wang", "--json")).document
    assert (listed["state"], listed["decided_by"]) == ("used", "zhao")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("freeze", 1, "--operator", "wang"), 4, "您的角色不能办理冻结"),
        (("report-loss", 1, "--operator", "wang", "--paper", "id"), 2, "不能办理正式挂失"),
        (("unlock-pin", 1, "--operator", "wang", "--who", "agent"), 2, "不能办理密码解锁"),
        (("hand-out", 1, "--operator", "wang"), 4, "缺少材料：本人身份证"),
        (("hand-out", 1, "--operator", "li"), 4, "没有操作员登录"),
        (("hand-out", 1), 2, "多人登录"),
    ],
)
def test_refused_in_one_line_of_chinese(
    run: Run, staffed: Path, words: tuple[object, ...], code: int, said: str
) -> None:
    assert staffed.exists()
    refused = run("lifecycle", *words)
    assert refused.code == code
    assert said in refused.err
    assert len(refused.err.splitlines()) == 1
    assert state(run) == "issued"


def test_new_data_come_from_standard_input_and_are_shown_nowhere(run: Run, staffed: Path) -> None:
    assert staffed.exists()
    new = json.dumps({"address": "新村一号"})
    changed = done(
        run(
            "lifecycle", "change-data", 1, "--operator", "wang", "--second", "zhao",
            "--paper", "id", "--paper", "proof-of-data", "--details-stdin", "--json",
            stdin=f"{new}\n{PASSWORD}",
        )
    )  # fmt: skip
    assert changed.document["action"] == "change-data"
    assert "新村" not in changed.out + changed.err


def test_an_agent_comes_from_standard_input(run: Run, staffed: Path) -> None:
    assert staffed.exists()
    done(hand_out(run))
    agent = {"agent": {"name": "李代办", "citizen_number": "639900197001011235"}}
    words = ("lifecycle", "report-loss", 1, "--operator", "wang", "--who", "agent")
    papers = ("--paper", "id", "--paper", "agent-id", "--details-stdin")
    assert run(*words, *papers, stdin="{").code == 2
    assert run(*words, *papers, stdin="{}").code == 4
    lost = done(run(*words, *papers, stdin=json.dumps(agent)))
    assert "李代办" not in lost.out + lost.err


def test_a_temporary_card_goes_out_and_comes_back(run: Run, staffed: Path) -> None:
    assert staffed.exists()
    wang = ("--operator", "wang", "--json")
    added = done(run("lifecycle", "temporary", "add", "T001", *wang)).document
    number = added["T001"]
    out = done(
        run("lifecycle", "temporary", "out", number, "--for", "1", "--paper", "id", *wang)
    ).document
    assert out["deposit"] == 2500
    back = run("lifecycle", "temporary", "back", number, "--paper", "deposit-receipt", *wang)
    assert done(back).document["deposit"] == -2500


def test_passwords_and_tokens(run: Run, staffed: Path) -> None:
    assert staffed.exists()
    (folder,) = (places.state_directory() / "sessions").iterdir()
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert run("operator", "sign-in", "wang", stdin="wrong").code == 4
    done(run("operator", "password", "--operator", "wang", stdin=f"{PASSWORD}\nAnother-one-9"))
    assert run("operator", "list", "--operator", "wang").code == 4  # every session has ended


def test_an_administrator_locks_and_gives_roles(run: Run, staffed: Path) -> None:
    assert staffed.exists()
    sign_in(run, "boss")
    boss = ("--operator", "boss", "--json")
    done(run("operator", "lock", "zhao", *boss))
    assert run("operator", "sign-in", "zhao", stdin=PASSWORD).code == 4
    done(run("operator", "lock", "zhao", "--undo", *boss))
    assert run("operator", "roles", "zhao", "--role", "window", "--role", "county", *boss).code == 0
    assert run("operator", "roles", "zhao", "--role", "window", "--role", "inspector").code == 2
    listed = done(run("operator", "list", *boss)).document
    assert {one["login"] for one in listed} == {"boss", "wang", "zhao", "chen"}
    done(run("operator", "sign-off", "--operator", "boss"))
    assert run("operator", "list", *boss).code == 4


def test_lapse_and_table(run: Run, staffed: Path) -> None:
    assert staffed.exists()
    assert done(run("lifecycle", "lapse", "--json")).document == {"lapsed": 0}
    rules = done(run("lifecycle", "table", "--json")).document
    assert {rule["action"] for rule in rules} >= {"open", "replace", "bank-open", "temporary-out"}
    assert "`replace` 补卡" in done(run("lifecycle", "table")).out


def test_cards_are_made_by_signed_in_window_people_once_there_are_accounts(
    run: Run, staffed: Path, tmp_path: Path
) -> None:
    assert staffed.exists()
    roster = tmp_path / "roster.csv"
    done(run("roster", "sample", 1, "--seed", 1, "--out", roster))
    make = ("issue", roster, "--profile", "test", "--reader", "virtual", "--json")
    assert run(*make, "--operator", "chen").code == 4
    assert run(*make, "--operator", "nobody").code == 4
    assert run(*make, "--operator", "wang").document["issued"] >= 1
    wang = ("--operator", "wang", "--json")
    made = done(run("registry", "list", "--state", "issued", *wang)).document
    history = done(run("registry", "show", made[-1]["card_id"], *wang)).document["history"]
    assert {entry["actor"] for entry in history} <= {"wang", "test"}


def test_a_chip_is_given_up_by_signed_in_people_once_there_are_accounts(
    run: Run, staffed: Path
) -> None:
    assert staffed.exists()
    spoil = ("registry", "spoil", 2, "--reason", "broken", "--yes", "--json")
    sign_in(run, "boss")
    assert run(*spoil).code == 2  # several people are signed in
    assert run(*spoil, "--operator", "boss").code == 4
    assert run(*spoil, "--operator", "nobody").code == 4
    asked = run(*spoil, "--operator", "wang").document["error"]["message"]
    assert "card record 2 is planned" in asked  # wang may; this record has no chip yet


def test_a_township_sees_and_does_what_is_its_own(run: Run, staffed: Path) -> None:
    folder = staffed.parent
    (folder / "places.csv").write_text(
        "code,kind,name,parent,address_prefix\nT1,township,一乡,,\nT2,township,二乡,,\n", "utf-8"
    )
    (folder / "people.csv").write_text("card_id,place\n1,T2\n", "utf-8")
    chen = ("--operator", "chen", "--json")
    done(run("registry", "places", "load", folder / "places.csv", *chen))
    done(run("registry", "places", "assign", folder / "people.csv", *chen))
    sign_in(run, "boss")
    boss = ("--operator", "boss", "--json")
    add = ("operator", "add", "tang", "--name", "某人", "--role", "township", "--place", "T1")
    done(run(*add, *boss, stdin=PASSWORD))
    sign_in(run, "tang")
    hand = ("lifecycle", "hand-out", 1, "--paper", "id", "--second", "zhao", "--operator", "tang")
    refused = run(*hand, stdin=PASSWORD)
    assert (refused.code, "不属于您的辖区" in refused.err) == (4, True)
    assert run("operator", "place", "tang", "T9", *boss).code == 2
    assert done(run("operator", "place", "tang", "T2", *boss)).document["place"] == "T2"
    done(run(*hand, stdin=PASSWORD))


def test_nothing_of_a_second_person_stays_when_the_act_is_refused(run: Run, staffed: Path) -> None:
    assert staffed.exists()
    card = ("lifecycle", "hand-out", 1, "--operator", "wang")
    assert run(*card, "--second", "zhao", stdin=PASSWORD).code == 4  # a paper is missing
    assert done(run("approval", "list", "--operator", "wang", "--json")).document == []
    assert run(*card, "--paper", "id", "--approval", 1).code != 0
    assert state(run) == "issued"


def test_what_an_act_says_to_people(run: Run, staffed: Path) -> None:
    assert staffed.exists()
    act = done(hand_out(run)).document
    wang = ("--operator", "wang", "--paper", "id", "--paper", "card")
    done(run("lifecycle", "activate", 1, *wang))
    lost = done(run("lifecycle", "report-loss", 1, "--temporary", *wang))
    first, until, chip = lost.out.splitlines()
    assert first == f"业务{act['act_id'] + 2}：临时挂失：记录1 已启用 → 临时挂失"
    assert until.endswith("自动失效")
    assert "Z" not in until  # times are those of the place
    assert chip == "卡片：列入黑名单"
    found = done(run("lifecycle", "find", 1, *wang, "--lang", "en"))
    assert found.out.splitlines()[0].endswith(": find: record 1 temporarily_lost → active")
    refused = run("lifecycle", "find", 1, *wang, "--reason", "张三找到了")
    assert (refused.code, len(refused.err.splitlines())) == (2, 1)
    assert "张三" not in refused.err


def test_what_may_be_done_is_named_by_its_command(run: Run, staffed: Path) -> None:
    """What `legal` names can be typed: every action of the rules has a command."""
    assert staffed.exists()
    done(hand_out(run))
    told = done(run("lifecycle", "legal", 1)).out.splitlines()
    assert told[0] == "记录1：已发放；银行侧：未开户"
    (row,) = [line.split() for line in told if line.startswith("启用")]
    assert row[:3] == ["启用", "activate", "已启用"]
    for rule in load().transitions:
        words = COMMANDS.get(rule.action, rule.action).split()
        if rule.subject != "application":
            options = [word for word in words if word.startswith("--")]
            shown = run("lifecycle", *itertools.takewhile(lambda w: w[0] != "-", words), "--help")
            assert shown.code == 0, rule.action
            assert all(option in shown.out for option in options), rule.action


def test_a_bank_pin_is_locked_unlocked_lost_and_reset(run: Run, staffed: Path) -> None:
    """Three wrong tries lock it; once it is lost there is no unlocking any more [D18]."""
    assert staffed.exists()
    done(hand_out(run))
    wang = ("--operator", "wang", "--paper", "id", "--paper", "card")
    done(run("lifecycle", "open-account", 1, *wang))
    done(run("lifecycle", "activate", 1, "--bank", *wang))
    for words in (("lock-pin", 1), ("unlock-pin", 1, "--bank"), ("lock-pin", 1), ("lose-pin", 1)):
        done(run("lifecycle", *words, *wang))
    assert run("lifecycle", "unlock-pin", 1, "--bank", *wang).code == 2
    reset = ("lifecycle", "reset-pin", 1, "--bank", "--second", "zhao", *wang)
    assert "密码挂失 → 已启用" in done(run(*reset, stdin=PASSWORD)).out


def test_nobody_has_to_appear_where_the_rule_says_so(run: Run, staffed: Path) -> None:
    assert staffed.exists()
    done(run("lifecycle", "open-account", 1, "--operator", "wang", "--paper", "id"))
    ended = run(
        "lifecycle", "end", 1, "--operator", "chen", "--second", "zhao",
        "--paper", "proof-of-death", stdin=PASSWORD,
    )  # fmt: skip
    assert ended.code == 4
    assert "代办" not in ended.err  # nobody was taken for an agent; zhao is not of the county
    assert "无权审批" in ended.err


def test_temporary_cards_are_listed_and_a_known_one_is_named(run: Run, staffed: Path) -> None:
    assert staffed.exists()
    wang = ("--operator", "wang")
    number = done(run("lifecycle", "temporary", "add", "T1", "T2", *wang, "--json")).document["T1"]
    again = run("lifecycle", "temporary", "add", "T3", "T2", *wang)
    assert (again.code, len(again.err.splitlines())) == (2, 1)
    assert "T2" in again.err
    done(run("lifecycle", "temporary", "out", number, "--for", 1, "--paper", "id", *wang))
    temporary = ("lifecycle", "temporary", "list", *wang, "--json", "--only")
    assert [one["serial"] for one in done(run(*temporary, "out")).document] == ["T1"]
    assert [one["serial"] for one in done(run(*temporary, "pool")).document] == ["T2"]
    assert done(run(*temporary, "overdue")).document == []
    back = run("lifecycle", "temporary", "back", number, "--paper", "deposit-receipt", *wang)
    assert "退还押金 25.00 元" in done(back).out


def test_a_refused_change_of_an_account_is_in_the_history(run: Run, staffed: Path) -> None:
    assert staffed.exists()
    for words in (
        ("lock", "zhao"),
        ("roles", "wang", "--role", "county"),
        ("add", "new", "--name", "某人", "--role", "county"),
    ):
        refused = run("operator", *words, "--operator", "wang", stdin=f"{PASSWORD}\n{PASSWORD}")
        assert refused.code == 4
        with closing(sqlite3.connect(staffed)) as file:
            query = "SELECT detail FROM history WHERE action = 'refused' ORDER BY sequence DESC"
            (detail,) = file.execute(query).fetchone()
        assert json.loads(detail) == {"for": f"operator-{words[0]}", "why": "role"}
