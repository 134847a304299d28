"""What happened, by place and period."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pytest
from PIL import Image, ImageChops, ImageStat

from cardkit.errors import UsageError
from cardkit.registry.places import Residence
from cardkit.registry.registry import Registry
from cardkit.registry.statistics import Statistics, StatisticsError, Table, chart, write
from cardkit.registry.statistics.charts import data_of
from tests.registry.crew import Crew
from tests.registry.statistics import pictures
from tests.registry.statistics.conftest import happen

PAGE_CHART = Path(__file__).parents[3] / "docs" / "images" / "statistics.png"
MAY, JUNE = "2012-05-31T15:59:59.999Z", "2012-05-31T16:00:00.000Z"  # one millisecond, in China


@pytest.mark.usefixtures("crew")
def test_days_are_those_of_the_place(registry: Registry) -> None:
    happen(registry, 1, "hand-out", MAY)
    happen(registry, 2, "hand-out", JUNE)

    table = Statistics(registry.books).events(measures=["handed_out"])

    assert table.rows == [
        ("V0", "第0村", "2012-05", (1,)),
        ("V1", "第1村", "2012-06", (1,)),
    ]
    june = Statistics(registry.books).events(
        measures=["handed_out"], since="2012-06-01", until="2012-06-30", period="day"
    )
    assert june.rows == [("V1", "第1村", "2012-06-01", (1,))]


@pytest.mark.usefixtures("crew")
def test_everything_adds_up_to_the_history(registry: Registry) -> None:
    for card_id, action in ((1, "hand-out"), (1, "open"), (2, "report-loss"), (4, "hand-out")):
        happen(registry, card_id, action, MAY)

    table = Statistics(registry.books).events(period="year")

    assert dict(zip(table.measures, table.totals, strict=True)) == {
        "made": 5,
        "handed_out": 2,
        "opened": 1,
        "lost": 1,
        "found": 0,
        "replaced": 0,
        "transferred": 0,
        "cancelled": 0,
    }
    assert [(row[0], row[3][0]) for row in table.rows] == [("", 2), ("V0", 1), ("V1", 1), ("V2", 1)]
    township = Statistics(registry.books).events(period="all", level="township")
    assert [(row[0], row[3][:2]) for row in township.rows] == [("", (2, 1)), ("T1", (3, 1))]
    assert Statistics(registry.books).events(place="V0", period="all").totals[:3] == (1, 1, 1)


def test_who_moved_counts_where_they_lived_then(registry: Registry, crew: Crew) -> None:
    happen(registry, 1, "hand-out", registry.books.store.now())
    Residence(registry.books).assign([("card_id", "1", "V2")], operator=crew.li, moving=True)
    happen(registry, 1, "report-loss", registry.books.store.now())

    table = Statistics(registry.books).events(measures=["handed_out", "lost"], period="all")

    assert [(row[0], row[3]) for row in table.rows] == [("V0", (1, 0)), ("V2", (0, 1))]


@pytest.mark.usefixtures("crew")
def test_where_cards_stand_now(registry: Registry) -> None:
    table = Statistics(registry.books).standing(level="county")

    assert table.measures == ("issued", "planned")
    assert table.headings("zh")[3:] == ["已制卡", "待制卡"]
    assert [(row[0], row[3]) for row in table.rows] == [("", (2, 1)), ("C", (3, 0))]
    assert table.headings()[3:] == ["已制卡", "待制卡"]
    assert [line[1] for line in table.lines()] == ["未归属", "测试县"]
    assert [line[1] for line in table.lines("en")] == ["no place", "测试县"]


@pytest.mark.parametrize(
    ("words", "question"),
    [
        ("counted by moon", {"period": "moon"}),
        ("counted by eaten", {"measures": ["eaten"]}),
        ("no level", {"level": "moon"}),
        ("no day", {"since": "2012-13-01"}),
        ("lies before", {"since": "2012-05-02", "until": "2012-05-01"}),
    ],
)
def test_questions_that_make_no_sense(
    registry: Registry, words: str, question: dict[str, Any]
) -> None:
    with pytest.raises(StatisticsError, match=words):
        Statistics(registry.books).events(**question)


TABLE = Table(
    "month",
    ("made", "lost"),
    [("V0", "第0村", "2012-05", (1200, 3)), ("V1", "=1+1", "2012-06", (800, 0))],
)


def test_a_table_as_files(tmp_path: Path) -> None:
    for name in ("t.csv", "t.json", "t.xlsx"):
        write(TABLE, tmp_path / name)

    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0] == ["地点编码", "地点", "期间", "制卡", "挂失"]
    assert lines[2][1] == "'=1+1"  # text, no formula
    assert lines[-1] == ["合计", "", "", "2000", "3"]
    assert json.loads((tmp_path / "t.json").read_text("utf-8"))["totals"] == {
        "made": 2000,
        "lost": 3,
    }
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx").active
    assert sheet is not None
    cells = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert cells[1] == ["V0", "第0村", "2012-05", 1200, 3]
    assert sheet["B3"].data_type == "s"  # text, no formula
    assert (tmp_path / "t.csv").stat().st_mode & 0o777 == 0o600


def test_a_chart_in_three_forms(tmp_path: Path) -> None:
    beginnings = {"svg": b"<svg", "pdf": b"%PDF-", "png": b"\x89PNG"}
    for form, beginning in beginnings.items():
        write(TABLE, tmp_path / f"t.{form}", title="制卡与挂失")
        assert (tmp_path / f"t.{form}").read_bytes().startswith(beginning)
    assert chart(TABLE, "svg") == chart(TABLE, "svg")


def test_the_chart_of_the_page_is_drawn_anew(tmp_path: Path) -> None:
    """`make docs` writes it; what stands in the page has the same size and bars."""
    pictures.draw(tmp_path)
    drawn, shown = Image.open(tmp_path / "statistics.png"), Image.open(PAGE_CHART)
    difference = ImageChops.difference(drawn.convert("L"), shown.convert("L"))
    assert drawn.size == shown.size
    assert ImageStat.Stat(difference).mean[0] < 1


def test_a_chart_goes_by_time_whatever_the_order_of_places() -> None:
    rows = [
        ("V0", "村", "2012-06", (1,)),
        ("V1", "村", "2012-05", (2,)),
        ("V1", "村", "2012-06", (4,)),
    ]
    groups = data_of(Table("month", ("made",), rows))["groups"]

    assert groups == [{"label": "2012-05", "values": [2]}, {"label": "2012-06", "values": [5]}]


def test_a_chart_of_one_period_goes_by_place_and_villages_may_share_a_name() -> None:
    rows = [
        ("", "", "2012-05", (1,)),
        ("T1V1", "东村", "2012-05", (2,)),
        ("T2V1", "东村", "2012-05", (4,)),
    ]
    drawn = data_of(Table("month", ("made",), rows))
    always = data_of(Table("all", ("made",), [(code, name, "", n) for code, name, _, n in rows]))

    bars = [("未归属", [1]), ("东村", [2]), ("东村", [4])]
    assert [(group["label"], group["values"]) for group in drawn["groups"]] == bars
    assert [(group["label"], group["values"]) for group in always["groups"]] == bars
    assert (drawn["title"], always["title"]) == ("2012-05", "")
    villages = [(f"V{number}", "村", "2012-05", (1,)) for number in range(188)]
    assert data_of(Table("month", ("made",), villages))["groups"] == [
        {"label": "2012-05", "values": [188]}  # bars of 188 villages could not be read
    ]


def test_a_chart_of_many_groups_has_its_labels_aslant() -> None:
    days = [("V0", "村", f"2012-05-{day:02d}", (day, 1)) for day in range(1, 32)]
    assert chart(Table("day", ("made", "lost"), days), "png").startswith(b"\x89PNG")


def test_a_chart_shows_the_months_in_which_nothing_happened() -> None:
    table = Table("month", ("made",), [("V", "村", m, (1,)) for m in ("2012-11", "2013-02")])
    groups = data_of(table)["groups"]
    assert [(group["label"], group["values"]) for group in groups] == [
        ("2012-11", [1]), ("2012-12", [0]), ("2013-01", [0]), ("2013-02", [1]),
    ]  # fmt: skip


def test_charts_that_nobody_could_read() -> None:
    with pytest.raises(StatisticsError, match="nothing to draw"):
        chart(Table("month", ("made",), [("V0", "村", "2012-05", (0,))]))
    days = [("V0", "村", day, (1,)) for day in ("2012-05-01", "2012-06-10")]  # and 39 between
    with pytest.raises(StatisticsError, match="41 groups"):
        chart(Table("day", ("made",), days))


def test_a_form_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="which form"):
        write(TABLE, tmp_path / "t.doc")
