"""Card records in words: masked by default, because a screen is read by whoever walks past."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cardkit.cli.common import CHINA_HOURS
from cardkit.cli.output import table

if TYPE_CHECKING:
    from cardkit.history import Head, Verdict
    from cardkit.registry.records import CardRecord, CardStory

HEADINGS = (
    "RECORD",
    "卡号 NUMBER",
    "状态 STATE",
    "姓名 NAME",
    "身份证号码 CITIZEN",
    "卡识别码 ID CODE",
)

_PERSONAL = {
    "name": "姓名",
    "citizen_number": "身份证号码",
    "insurance_number": "养老保险号",
    "sex": "性别",
    "birth_date": "出生日期",
    "birthplace": "出生地",
    "nation": "民族",
    "address": "地址",
    "phone": "联系电话",
    "bank_card_number": "银行卡号",
}
_CARD = {
    "card_id": "记录",
    "state": "状态",
    "reason": "原因",
    "card_number": "卡号",
    "card_id_code": "卡识别码",
    "kind": "卡种",
    "chip_kind": "芯片",
    "attempts": "次数",
    "reader": "读卡器",
    "planned_at": "登记时间",
    "writing_at": "开始写卡",
    "issued_at": "发卡时间",
    "batch": "批次",
    "row": "行号",
}


def masked_name(name: str) -> str:
    """First character of a name.

    Examples
    --------
    >>> masked_name("欧阳小明"), masked_name("")
    ('欧**', '')
    """
    return name[:1] + "**" if name else ""


def masked_number(number: str) -> str:
    """Last four characters of a personal number.

    Examples
    --------
    >>> masked_number("639900199001010015"), masked_number("123")
    ('**************0015', '***')
    """
    hidden = max(len(number) - 4, 0) if len(number) > 4 else len(number)
    return "*" * hidden + number[hidden:]


def _masked(field: str, value: str) -> str:
    if field == "name":
        return masked_name(value)
    if field in ("citizen_number", "insurance_number", "bank_card_number", "phone"):
        return masked_number(value)
    return "***" if value else ""


def row(record: CardRecord, *, full: bool) -> tuple[str, ...]:
    """Cells of one record, as `HEADINGS` names them."""
    name, number = record.name, record.citizen_number
    return (
        str(record.card_id),
        record.card_number,
        record.state,
        name if full else masked_name(name),
        number if full else masked_number(number),
        record.card_id_code.hex().upper(),
    )


def counted(counts: Mapping[str, int], what: str = "records 记录") -> str:
    """How many there are, and in which states; states that nothing is in are left out.

    Examples
    --------
    >>> counted({"planned": 2, "issued": 1, "failed": 0})
    '3 records 记录: 2 planned, 1 issued'
    """
    parts = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    return f"{sum(counts.values())} {what}" + (f": {parts}" if parts else "")


def story(found: CardStory, *, full: bool) -> list[str]:
    """A record with its chips and its history."""
    content = found.record.as_json()
    rows = [(name, chinese, str(content[name])) for name, chinese in _CARD.items()]
    for name, chinese in _PERSONAL.items():
        value = str(content[name])
        rows.append((name, chinese, value if full else _masked(name, value)))
    rows += [
        (address, "数据项", value if full else "***")
        for address, value in found.record.items.items()
    ]
    lines = table([row for row in rows if row[2]])
    return [*lines, "", *_chips(found), "", *_history(found)]


def _chips(found: CardStory) -> list[str]:
    rows = [
        (chip.id_code.hex().upper(), chip.state, chip.kind, chip.atr.hex().upper())
        for chip in found.chips
    ]
    headings = ("芯片 CHIP", "状态 STATE", "种类 KIND", "ATR")
    return table(rows, headings) if rows else ["no chip yet 尚无芯片"]


def _history(found: CardStory) -> list[str]:
    rows = [
        (
            e.instant,
            _local(e.instant),
            e.actor,
            e.action,
            f"{e.from_state or ''} → {e.to_state or ''}",
            e.detail,
        )
        for e in found.history
    ]  # fmt: skip
    headings = (
        "时间 TIME (UTC)", "当地 LOCAL", "操作员 BY", "操作 ACTION", "状态 STATE", "详情 DETAIL",
    )  # fmt: skip
    return table(rows, headings)


def _local(instant: str) -> str:
    at = dt.datetime.fromisoformat(instant) + dt.timedelta(hours=CHINA_HOURS)
    return f"{at:%Y-%m-%d %H:%M:%S}"


def story_as_json(found: CardStory) -> dict[str, object]:
    """The same for programs."""
    chips = [
        {"card_id_code": chip.id_code.hex().upper(), "state": chip.state, "kind": chip.kind,
         "atr": chip.atr.hex().upper(), "factory_atr": chip.factory_atr.hex().upper(),
         "seen_at": chip.seen_at}
        for chip in found.chips
    ]  # fmt: skip
    history = [
        {"sequence": e.sequence, "instant": e.instant, "actor": e.actor, "action": e.action,
         "from": e.from_state, "to": e.to_state, "detail": e.detail, "digest": e.digest.hex()}
        for e in found.history
    ]  # fmt: skip
    return found.record.as_json() | {"chips": chips, "history": history}


def unchecked(head: Head) -> list[str]:
    """The last entry of a history that nobody has checked now."""
    return ["history 历史: not checked 未校验", f"  last {_entry(head)}"]


def _entry(head: Head) -> str:
    return f"entry {head.sequence}, digest {head.digest.hex()}"


def verdict(found: Verdict) -> list[str]:
    """What checking the history found."""
    last = _entry(found.head)
    if found.intact:
        return ["history 历史: intact 完好", f"  last {last}"]
    return [f"history 历史: CHANGED 被改动: {found.problem}", f"  good up to {last}"]


def verdict_as_json(found: Verdict) -> dict[str, object]:
    """The same for programs."""
    return {"intact": found.intact, "problem": found.problem}


def head_as_json(head: Head) -> dict[str, object]:
    """The last entry (of what is intact) for programs."""
    return {"entries": head.sequence, "digest": head.digest.hex()}
