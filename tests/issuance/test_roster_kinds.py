"""Who is too old or too young for the card kind of a row gets no card by roster."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardkit.codec.numbers import citizen_check
from cardkit.issuance import job as jobs
from cardkit.profile import load
from cardkit.registry.registry import Registry, sqlite_url
from tests.registry.support import SetClock

HEADINGS = "姓名,身份证号码,性别,出生日期,卡类别"


@pytest.mark.parametrize(
    ("born", "kind", "reason"),
    [
        ("20080101", "成人", "成人卡须年满16周岁"),
        ("19810101", "儿童", "少儿卡须不满16周岁"),
        ("19810101", "临时", "临时卡只能借用"),
        ("20080101", "儿童", ""),
        ("19810101", "成人", ""),
        ("19810101", "学籍", ""),  # the school is asked for at intake
        ("20080101", "", ""),
    ],
)
def test_the_age_has_to_fit_the_kind(tmp_path: Path, born: str, kind: str, reason: str) -> None:
    body = f"639900{born}001"
    number = body + citizen_check(body)
    file = tmp_path / "roster.csv"
    file.write_text(f"{HEADINGS}\n张测试,{number},男,{born},{kind}\n", "utf-8")
    profile, clock = load("test"), SetClock()
    roster = jobs.read_roster(profile, file, clock().date())
    assert not roster.rejects
    with Registry.open(sqlite_url(tmp_path / "r.db"), clock=clock, actor="window 1") as registry:
        job = jobs.enrol(profile, registry, roster)
    assert len(job.wanted) == (not reason)
    assert [reason in reject.reason() for reject in roster.rejects] == [True] * bool(reason)
