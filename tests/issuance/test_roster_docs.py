"""docs/roster.md says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from cardkit.issuance import roster
from cardkit.issuance.roster import headings
from cardkit.issuance.roster.columns import COLUMNS
from cardkit.issuance.roster.reasons import REASONS

DOCS = (Path(__file__).parents[2] / "docs" / "roster.md").read_text(encoding="utf-8")


def test_the_table_of_headings_is_the_declared_one() -> None:
    # To renew it: python -c "from cardkit.issuance.roster import headings_table as t; print(t())"
    between = re.search(r"<!-- headings: .*? -->\n(.*?)<!-- /headings -->", DOCS, re.DOTALL)
    assert between is not None
    assert between[1].strip() == roster.headings_table().strip()


def test_every_reason_is_explained() -> None:
    explained = set(re.findall(r"`(\w+)`", DOCS[DOCS.index("| code |") :]))
    assert set(REASONS) - explained == set()


def test_no_heading_means_two_things() -> None:
    seen: dict[str, str] = {}
    for column in COLUMNS:
        for heading in {column.chinese, column.english, column.field, *column.synonyms}:
            assert seen.setdefault(headings.normalise(heading), column.field) == column.field


def test_the_agencies_list_is_read_exactly() -> None:
    listed = ["养老保险号", "姓名", "身份证号码", "地址", "联系电话"]
    assert [column.chinese for column in COLUMNS[:5]] == listed
