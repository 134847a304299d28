"""Rows with something wrong go to the reject file, in Chinese; everybody else gets a card."""

from __future__ import annotations

from tests.faults.window import HEADINGS, Window, number, person

WRONG = {
    "check digit": (
        person(11, citizen=number(11)[:17] + ("2" if number(11)[17] == "1" else "1")),
        "身份证号码", "校验码错误",
    ),
    "no such day": (
        person(12, citizen=number(12, "19900230")), "身份证号码", "出生日期不存在",
    ),
    "born in the future": (
        person(13, citizen=number(13, "20990101")), "身份证号码", "出生日期晚于今天",
    ),
    "again": (person(14, citizen=number(1)), "身份证号码", "与第2行重复"),
    "no name": (person(15, name=""), "姓名", "未填写"),
    "name too long": (person(16, name="买买提" * 9), "姓名", "需要54字节，最多50字节"),
    "four bytes": (person(17, name="张㐂"), "姓名", "“㐂”（U+3402）卡片无法存储"),
    "control character": (person(18, name="张\x07三"), "姓名", "卡片无法存储"),
}  # fmt: skip


def test_every_kind_of_bad_row_is_rejected_and_the_others_are_issued(window: Window) -> None:
    window.lang = "zh"
    good = [person(1), person(2, name="李䶮")]
    roster = window.roster(*good, *(row for row, _, _ in WRONG.values()))

    done = window.issue(roster)

    assert done.code == 1
    assert window.states() == ["issued", "issued"]
    rejects = window.rejects()
    assert [list(row.values())[: len(HEADINGS)] for row in rejects] == [
        list(row) for row, _, _ in WRONG.values()
    ]
    for told, (kind, (_, field, reason)) in zip(rejects, WRONG.items(), strict=True):
        assert told["字段"] == field, kind
        assert reason in told["原因"], kind
    assert [int(row["行号"]) for row in rejects] == list(range(4, 4 + len(WRONG)))
    assert f"制卡 2，退回 {len(WRONG)}" in done.out
    assert "Traceback" not in done.err


def test_whoever_contradicts_the_registry_is_rejected(window: Window) -> None:
    window.lang = "zh"
    assert window.issue(window.people(2)).code == 0
    namesake = (person(1)[0], "王五", number(1), *person(1)[3:])
    thief = (person(2)[0], "赵六", number(9), *person(2)[3:])

    done = window.issue(window.roster(namesake, thief, person(3), name="more.csv"))

    assert done.code == 1
    assert window.states() == ["issued"] * 3
    assert [(row["字段"], row["原因"]) for row in window.rejects()] == [
        ("姓名", "登记库中该公民身份号码已有不同的姓名"),
        ("养老保险号", "该养老保险号已登记给另一人"),
    ]


def test_the_mended_reject_file_is_a_roster_again(window: Window) -> None:
    assert window.issue(window.roster(person(1), person(2, name=""))).code == 1
    (rejects,) = window.out.glob("rejects-*")
    mended = window.folder / "mended.csv"
    mended.write_text(rejects.read_text(encoding="utf-8").replace(",,", ",李四,", 1), "utf-8")

    assert window.issue(mended).code == 0

    assert window.states() == ["issued", "issued"]


def test_the_same_roster_again_makes_nothing_new(window: Window) -> None:
    roster = window.people(2)
    window.issue(roster)
    before = window.records()

    assert window.issue(roster).code == 0

    assert window.records() == before
