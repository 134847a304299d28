"""A document → the data its template is set with. Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from cardkit.registry.forms.codes import grouped
from cardkit.registry.forms.kinds import PAPERS, REASONS, Kind, Reason
from cardkit.registry.forms.masking import masked, masked_name
from cardkit.registry.forms.records import Document
from cardkit.registry.intake import barcode

CHINA_HOURS = 8


@dataclass(frozen=True, slots=True)
class Reprint:
    """One time a document was printed again.

    Parameters
    ----------
    times : int
        1 for the first time.
    """

    times: int
    made_at: str
    made_by: str
    reason: Reason
    stock_number: str = ""


def local(instant: str, hours: int = CHINA_HOURS) -> str:
    """An instant of the registry in local time, as people read it.

    Examples
    --------
    >>> local("2012-05-01T20:00:00.000Z")
    '2012-05-02 04:00'
    >>> local("")
    ''
    """
    if not instant:
        return ""
    moment = datetime.fromisoformat(instant) + timedelta(hours=hours)
    return moment.strftime("%Y-%m-%d %H:%M")


def data_of(document: Document, reprint: Reprint | None, hours: int) -> dict[str, Any]:
    """What the template gets: the content, and everything around it."""
    paper = PAPERS[document.kind]
    return {
        "title": paper.title,
        "number": document.number,
        "stock_number": reprint.stock_number if reprint else document.stock_number,
        "code": grouped(document.code),
        "bars": _widths(barcode.modules(document.code)),
        "made_at": local(document.made_at, hours),
        "made_by": document.made_by,
        "copies": list(paper.copies[: document.copies]),
        "reprint": _stamp(reprint, hours) if reprint else None,
        "content": document.content,
    }


def _widths(modules: str) -> list[int]:
    """Bars and spaces in turn, in modules."""
    return [len(list(run)) for _, run in groupby(modules)]


def _stamp(reprint: Reprint, hours: int) -> dict[str, Any]:
    return {
        "times": reprint.times,
        "at": local(reprint.made_at, hours),
        "by": reprint.made_by,
        "reason": REASONS[reprint.reason],
    }


_SHOWN = {
    "action": "业务",
    "place": "单位",
    "about": "对象",
    "period": "期间",
    "count": "行数",
    "total": "合计（元）",
    "capitals": "大写",
    "fee": "工本费（元）",
    "due": "领取期限",
    "lapses": "失效时间",
    "at": "时间",
}
"""What a clerk compares with the paper in hand; names and numbers are added masked."""


def shown(kind: Kind, content: Mapping[str, Any]) -> dict[str, str]:
    """What a paper has to say when it is genuine, by Chinese label, masked.

    Examples
    --------
    >>> shown(Kind.RECEIPT, {"payer": "王小明", "total": "28.00"})
    {'交款人': '王**', '合计（元）': '28.00'}
    """
    person = content.get("holder") or {}
    named = {
        "姓名": masked_name(person.get("name", "")),
        "公民身份号码": masked(person.get("citizen_number", "")),
        "卡号": masked(content.get("card_number", ""), 1, 3),
        "交款人": masked_name(content.get("payer", "")),
    }
    lines = {_SHOWN[key]: str(content[key]) for key in _SHOWN if content.get(key)}
    if kind is Kind.STATEMENT:
        lines.pop("对象", None)  # may hold a name
    return {label: text for label, text in (named | lines).items() if text}
