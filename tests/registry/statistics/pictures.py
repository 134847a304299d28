"""The chart of docs/statistics.md: ``python -m tests.registry.statistics.pictures docs/images``.

The numbers are invented: a year of a county that does not exist.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image

from cardkit.registry.statistics import Table, chart

_MEASURES = ("made", "handed_out", "opened", "lost", "found", "replaced")
_YEAR = (
    (69, 39, 24, 0, 0, 0), (71, 43, 28, 2, 0, 0), (75, 45, 48, 3, 1, 0), (91, 45, 48, 4, 1, 1),
    (98, 49, 47, 5, 1, 2), (85, 68, 66, 5, 2, 3), (80, 60, 55, 7, 2, 4), (100, 84, 75, 7, 2, 4),
    (88, 88, 74, 10, 3, 4), (71, 123, 104, 11, 3, 6), (24, 94, 95, 9, 3, 8), (30, 130, 99, 9, 3, 8),
)  # fmt: skip


def year() -> Table:
    """Twelve months of one place."""
    rows = [("C", "测试县", f"2012-{month:02d}", each) for month, each in enumerate(_YEAR, 1)]
    return Table("month", _MEASURES, rows)


def draw(folder: Path) -> None:
    """Write it, with few colours: it is kept in the repository."""
    drawn = chart(year(), "png", title="测试县 2012 年社会保障卡业务统计")
    small = Image.open(io.BytesIO(drawn)).convert("RGB").quantize(64)
    small.save(folder / "statistics.png", optimize=True)


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
