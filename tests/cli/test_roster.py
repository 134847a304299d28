"""``cardkit roster``."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardkit.cli.roster import ENCODINGS
from cardkit.issuance.roster import sample
from tests.cli.conftest import PEOPLE, Run

HEADING = "姓名,身份证号码\n"
FIRST = f"{PEOPLE[0].name},{PEOPLE[0].citizen_number}\n"
WRONG_DIGIT = "张三,639900199001010013\n"


def write(text: str, name: str = "roster.csv") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["s.csv", "s.txt", "s.xlsx"])
def test_a_sample_passes_its_own_check(run: Run, name: str) -> None:
    made = run("roster", "sample", "30", "--seed", "7", "--encoding", "gb18030", "--out", name)
    found = run("roster", "check", name, "--json", "--profile", "test")

    assert made.code == found.code == 0
    assert (found.document["rows"], found.document["good"]) == (30, 30)


def test_a_sample_is_the_same_for_the_same_seed(run: Run) -> None:
    for name, seed in (("a.csv", "1"), ("b.csv", "1"), ("c.csv", "2")):
        run("roster", "sample", "20", "--seed", seed, "--out", name)

    a, b, c = (Path(name).read_bytes() for name in ("a.csv", "b.csv", "c.csv"))
    assert a == b != c


def test_the_encodings_to_choose_from_are_those_of_samples() -> None:
    assert ENCODINGS == sample.ENCODINGS


def test_rejects_are_told_in_chinese_with_row_and_field(run: Run) -> None:
    write(HEADING + FIRST + WRONG_DIGIT)

    found = run("roster", "check", "roster.csv")

    assert found.code == 1
    assert "第3行  身份证号码：校验码错误" in found.out
    assert "合格 1，退回 1" in found.out


def test_a_roster_is_never_replaced_by_its_rejects(run: Run) -> None:
    path = write(HEADING + FIRST + WRONG_DIGIT)
    before = path.read_bytes()
    Path("link.csv").symlink_to(path)

    for out in ("roster.csv", "./roster.csv", "link.csv"):
        result = run("roster", "check", "roster.csv", "--out", out)
        assert result.code == 2
        assert "--out" in result.err
    assert path.read_bytes() == before


def test_a_roster_that_cannot_be_used_is_told_in_the_language_of_the_operator(run: Run) -> None:
    write("姓名,电话\n张三,1\n")

    chinese = run("roster", "check", "roster.csv")
    english = run("roster", "check", "roster.csv", "--lang", "en")

    assert chinese.code == english.code == 2
    assert chinese.err == (
        "cardkit: roster.csv 第1行：缺少列 身份证号码：第一行应为列名，如 姓名、身份证号码\n"
    )
    assert "no column for" in english.err


def test_a_missing_file_has_nothing_to_do_with_temporary_folders(run: Run) -> None:
    result = run("roster", "check", "nowhere.csv", "--lang", "en")

    assert result.code == 2
    assert "temporary" not in result.err
    assert "check its name" in result.err


def test_rejects_are_told_in_english_on_request(run: Run) -> None:
    write(HEADING + WRONG_DIGIT)

    assert (
        "row 2  citizen number: wrong check digit"
        in run("roster", "check", "roster.csv", "--lang", "en").out
    )


def test_only_the_first_rejects_are_shown(run: Run) -> None:
    write(HEADING + WRONG_DIGIT * 5)

    found = run("roster", "check", "roster.csv", "--limit", "2")

    assert sum("校验码错误" in line for line in found.out.splitlines()) == 2
    assert "另有 3 行" in found.out


def test_the_json_document_has_every_reject_with_its_code(run: Run) -> None:
    write(HEADING + WRONG_DIGIT * 3)

    document = run("roster", "check", "roster.csv", "--json", "--limit", "1").document

    assert document["rejected"] == 3
    assert [reject["row"] for reject in document["rejects"]] == [2, 3, 4]
    assert document["rejects"][0]["problems"] == [
        {"field": "citizen_number", "code": "check_digit"}
    ]


def test_nothing_is_written_unless_it_is_asked_for(run: Run, tmp_path: Path) -> None:
    write(HEADING + WRONG_DIGIT)
    before = set(tmp_path.rglob("*"))

    run("roster", "check", "roster.csv")

    assert set(tmp_path.rglob("*")) == before


def test_the_reject_file_is_a_roster_again(run: Run) -> None:
    write(HEADING + FIRST + WRONG_DIGIT)

    found = run("roster", "check", "roster.csv", "--out", "rejects.csv", "--json")
    again = run("roster", "check", "rejects.csv", "--json")

    assert found.document["rejects_file"] == "rejects.csv"
    assert again.document["rows"] == 1
    assert again.document["rejects"][0]["problems"][0]["code"] == "check_digit"


def test_there_is_no_reject_file_without_rejects(run: Run) -> None:
    write(HEADING + FIRST)

    found = run("roster", "check", "roster.csv", "--out", "rejects.csv", "--json")

    assert found.code == 0
    assert found.document["rejects_file"] is None
    assert not Path("rejects.csv").exists()


def test_a_registry_tells_who_has_a_card_and_who_is_known_otherwise(
    run: Run, registry: Path
) -> None:
    other_name = f"王五,{PEOPLE[1].citizen_number}\n"
    new = "赵六,639900198801010016\n"
    write(HEADING + FIRST + other_name + f"李四,{PEOPLE[2].citizen_number}\n" + new)
    before = registry.read_bytes()

    found = run("roster", "check", "roster.csv", "--registry", registry, "--json")

    assert found.document["registry"] == {"issued": 1, "waiting": 1, "new": 1}
    assert [r["problems"][0]["code"] for r in found.document["rejects"]] == ["registry"]
    assert found.code == 1
    assert registry.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02" * 99, b"a,b\n1,2\n"])
def test_a_file_that_is_no_roster_is_2_and_one_line(run: Run, content: bytes) -> None:
    Path("x.csv").write_bytes(content)

    found = run("roster", "check", "x.csv")
    english = run("roster", "check", "x.csv", "--lang", "en")

    assert found.code == english.code == 2
    assert found.err.startswith("cardkit: x.csv")
    assert len(found.err.splitlines()) == 1
    assert english.err.startswith("cardkit: x.csv")
    assert len(english.err.splitlines()) == 2  # the second is the remedy


def test_a_sample_that_is_impossible_is_2(run: Run) -> None:
    assert run("roster", "sample", "0", "--out", "x.csv").code == 2
    assert run("roster", "sample", "5", "--out", "x.csv", "--column", "shoe_size").code == 2
    assert run("roster", "sample", "5", "--out", "/nowhere/x.csv").code == 2


def test_a_roster_is_enrolled_for_a_factory_without_making_a_card(run: Run) -> None:
    roster = write(HEADING + FIRST + WRONG_DIGIT)
    wanted = ("roster", "enrol", roster, "--profile", "test", "--registry", "people.db")
    found = run(*wanted, "--out", "rejects.csv", "--lang", "en")
    assert found.code == 1
    assert found.out.splitlines()[-2:] == [
        "enrolled: 1 new, 0 known before; 1 cards to make",
        "reject file: rejects.csv",
    ]
    assert "wrong check digit" in Path("rejects.csv").read_text("utf-8-sig")
    again = run(*wanted, "--json")
    assert again.document["registry"] == {"new": 0, "known": 1, "waiting": 1}
    (record,) = run("registry", "list", "--registry", "people.db", "--json").document
    assert (record["state"], record["name"]) == ("planned", PEOPLE[0].name)
    issued = run("issue", roster, "--profile", "test", "--reader", "virtual",
                 "--registry", "people.db", "--json")  # fmt: skip
    assert issued.document["issued"] == 1  # the same record: no second one
    assert len(run("registry", "list", "--registry", "people.db", "--json").document) == 1
    assert run("roster", "enrol", roster, "--profile", "test", "--registry", "people.db",
               "--out", roster).code == 2  # fmt: skip
