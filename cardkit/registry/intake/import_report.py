"""What became of every file of a photo import, for a clerk."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Line:
    """What became of a file: ``taken``, ``same`` (it was there), or the code of a reason."""

    file: str = field(repr=False)
    code: str
    zh: str
    en: str


REASONS = {
    "taken": ("已导入", "taken"),
    "same": ("与现有照片相同", "the photo was there already"),
    "no_number": (
        "文件名中没有唯一的18位公民身份号码",
        "no citizen number, or several, in the file's name",
    ),
    "bad_number": ("公民身份号码有误", "the citizen number cannot be right"),
    "unknown": ("登记库中没有此人", "the registry does not know this person"),
    "name_differs": ("文件名中的姓名与登记库不符", "the name disagrees with the registry"),
    "twice": ("同一人有多张照片，请只保留一张", "several photos of one person"),
    "unreadable": ("文件不能读取", "the file cannot be read"),
    "foreign": ("同一照片文件已用于另一人", "the same photo file belongs to another person"),
}


@dataclass(slots=True)
class ImportReport:
    """What an import did."""

    lines: list[Line] = field(default_factory=list, repr=False)

    @property
    def taken(self) -> int:
        """Photos taken over."""
        return sum(line.code == "taken" for line in self.lines)

    @property
    def same(self) -> int:
        """Photos that were there."""
        return sum(line.code == "same" for line in self.lines)

    @property
    def rejected(self) -> int:
        """Files that were not taken."""
        return len(self.lines) - self.taken - self.same

    def counts(self) -> dict[str, int]:
        """Files by what became of them."""
        found: dict[str, int] = {}
        for line in self.lines:
            found[line.code] = found.get(line.code, 0) + 1
        return found

    def csv(self) -> bytes:
        """The report as a spreadsheet opens it: UTF-8 with a mark, Chinese headings."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(("文件", "结果", "原因代码", "原因"))
        for line in self.lines:
            result = "成功" if line.code in ("taken", "same") else "未导入"
            writer.writerow((_harmless(line.file), result, line.code, line.zh))
        return text.getvalue().encode("utf-8-sig")


def _harmless(cell: str) -> str:
    """A file name that a spreadsheet does not take for a formula."""
    return "'" + cell if cell[:1] in ("=", "+", "-", "@") else cell
