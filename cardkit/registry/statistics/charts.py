"""A table as a chart: bars by period, or by place where there is one period only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cardkit.registry.forms.typesetting import Form, typeset
from cardkit.registry.statistics.errors import StatisticsError
from cardkit.registry.statistics.periods import between
from cardkit.registry.statistics.tables import NOWHERE, Table

TEMPLATE = Path(__file__).parent / "templates" / "bars.typ"
_MOST_GROUPS = 40


def chart(table: Table, form: str = "svg", *, title: str = "", lang: str = "zh") -> bytes:
    """Draw a table.

    Parameters
    ----------
    form : str
        ``svg``, ``png`` or ``pdf``.

    Raises
    ------
    StatisticsError
        There is nothing to draw, or too much.
    """
    forms: dict[str, Form] = {"svg": "svg", "png": "png", "pdf": "pdf"}
    return typeset(TEMPLATE, data_of(table, title, lang), forms[form])


def data_of(table: Table, title: str = "", lang: str = "zh") -> dict[str, Any]:
    """What the template draws: groups of bars, a bar for each measure that is not all nought.

    Examples
    --------
    >>> table = Table("month", ("made", "lost"), [("V", "村", "2012-05", (3, 0))])
    >>> data_of(table)["series"], data_of(table)["groups"]
    (['制卡'], [{'label': '2012-05', 'values': [3]}])
    """
    shown = [at for at, total in enumerate(table.totals) if total]
    if not shown:
        raise StatisticsError(
            "empty", "there is nothing to draw", hint="another period or place", zh="没有可画的数据"
        )
    periods = between([row[2] for row in table.rows])
    places = len({row[0] for row in table.rows})
    by_place = not periods or (len(periods) == 1 and 1 < places <= _MOST_GROUPS)
    labels = {} if by_place else {period: period for period in periods}
    groups: dict[str, list[int]] = {period: [0] * len(shown) for period in labels}
    for code, name, when, counts in sorted(table.rows, key=lambda row: (row[2], row[0])):
        group = code if by_place else when  # villages share their names
        labels.setdefault(group, name or code or NOWHERE[lang])
        sums = groups.setdefault(group, [0] * len(shown))
        for place, at in enumerate(shown):
            sums[place] += counts[at]
    if len(groups) > _MOST_GROUPS:
        raise StatisticsError(
            "too-much",
            f"a chart of {len(groups)} groups cannot be read",
            hint=f"a longer period or a higher level: {_MOST_GROUPS} groups at most",
            zh=f"分组过多（{len(groups)}）：请选择更长的期间或更高的层级",
        )
    most = max(max(values) for values in groups.values())
    top = _round_up(most)
    names = [table.measures[at] for at in shown]
    return {
        "title": title or ("".join(periods[:1]) if by_place else ""),
        "series": [table.words.get(name, name) if lang == "zh" else name for name in names],
        "groups": [{"label": labels[group], "values": values} for group, values in groups.items()],
        "top": top,
        "ticks": [top * step // 4 for step in range(5)],
    }


def _round_up(value: int) -> int:
    """The next number that divides well into four.

    Examples
    --------
    >>> _round_up(3), _round_up(97), _round_up(12345)
    (4, 120, 16000)
    """
    size = 1
    while True:
        for factor in (4, 8, 12, 16, 20, 32):
            if factor * size >= value:
                return factor * size
        size *= 10
