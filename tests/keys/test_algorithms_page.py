"""docs/algorithms.md is what the registry says."""

from __future__ import annotations

from pathlib import Path

from cardkit.keys.selftest.page import page
from cardkit.keys.selftest.rules import RULES

PAGE = Path(__file__).parents[2] / "docs" / "algorithms.md"
ANEW = (
    "write it anew: python -c 'from cardkit.keys.selftest.page import page; "
    'print(page(), end="")\' > docs/algorithms.md'
)


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), ANEW


def test_the_page_names_every_algorithm() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [rule.algorithm for rule in RULES if f"| {rule.algorithm} |" not in text] == []
