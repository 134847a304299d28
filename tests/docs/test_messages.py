"""Lines that operators see stand in the pages as the program writes them."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from cardkit.cli import issue_text
from cardkit.issuance import report
from tests.docs import scenes
from tests.docs.sessions import ROOT

TROUBLES = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> scenes.Lines:
    folder = tmp_path_factory.mktemp("scenes")
    return scenes.refusals(folder) | scenes.outcomes(folder) | scenes.obstacles()


def test_troubleshooting_has_every_line(lines: scenes.Lines) -> None:
    missing = {name: line for name, line in lines.items() if line not in TROUBLES}
    explained_elsewhere = {"no service", "permission", "busy"} & set(missing)
    assert missing.keys() <= explained_elsewhere


def test_the_guide_shows_lines_as_they_are(lines: scenes.Lines) -> None:
    """Every row of its table is a line of the program; … stands for a reader and its holder."""
    table = GUIDE[GUIDE.index("## 常见提示") :]
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \|$", table, re.MULTILINE)[1:]
    shown = [row for row in rows if not re.match("-+$", row)]
    assert len(shown) > 15
    for row in shown:
        pattern = re.escape(row).replace("……", ".+").replace("…", ".+")
        assert any(re.fullmatch(pattern, line) for line in lines.values()), row


def _patterns(texts: dict[str, tuple[str, str]]) -> list[str]:
    """What lines a dictionary of texts can give in Chinese."""
    return [
        "".join(
            re.escape(literal) + (".*" if field is not None else "")
            for literal, field, _, _ in Formatter().parse(chinese)
        )
        for chinese, _ in texts.values()
    ]


@pytest.mark.parametrize("page", ["README.zh-CN.md", "docs/troubleshooting.md"])
def test_progress_and_report_are_shown_as_they_are(page: str) -> None:
    """Every Chinese line in a block of text is one of progress, report or a table of readers."""
    known = _patterns(issue_text._TEXTS) + _patterns(report._TEXTS) + [r"读卡器 READER .*"]
    text = (ROOT / page).read_text(encoding="utf-8")
    for block in re.findall(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if re.match(r"[一-鿿]|\[\d", line.strip()):
                assert any(re.fullmatch(k, line.strip()) for k in known), line


def test_pages_of_this_room_name_no_place_of_a_machine() -> None:
    for page in [ROOT / "README.md", ROOT / "README.zh-CN.md", *Path(ROOT, "docs").glob("*.md")]:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"/(root|tmp|mnt)/", text), page.name
