"""What came of an act, in Chinese for the window and in English on request; nothing personal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cardkit.errors import CardkitError

if TYPE_CHECKING:
    from cardkit.registry.lifecycle import Act
    from cardkit.registry.lifecycle.rules import RuleSet

_CHIP = {
    "blacklist": "列入黑名单",
    "unlist": "移出黑名单",
    "dead": "作废",
    "unlock-pin": "密码解锁",
    "reset-pin": "密码重置",
    "write": "写卡",
    "wipe": "清除",
    "write-chip": "重写芯片数据",
}
_SUBJECT = {"card": "记录", "application": "申请", "temporary": "临时卡"}


def told(act: Act, rules: RuleSet, lang: str) -> list[str]:
    """The act in lines for people, with times of the place."""
    return list(_chinese(act, rules) if lang == "zh" else _english(act, rules))


def _english(act: Act, rules: RuleSet) -> Iterator[str]:
    yield f"act {act.act_id}: {act.action}: record {act.subject} {act.from_state} → {act.to_state}"
    if act.subject_kind == "card" and act.bank_from != act.bank_to:
        yield f"bank side: {act.bank_from} → {act.bank_to}"
    if act.lapses_at:
        yield f"lapses by itself at {rules.calendar.local(act.lapses_at)}"
    if act.fee or act.deposit > 0:
        yield f"fee {act.fee / 100:.2f} yuan, deposit {act.deposit / 100:.2f} yuan"
    if act.deposit < 0:
        yield f"deposit given back {-act.deposit / 100:.2f} yuan"
    if act.due:
        yield f"due by {act.due}"
    if act.new_card is not None:
        yield f"record {act.new_card} is planned in its place"
    if act.receipt_number:
        yield f"receipt {act.receipt} {act.receipt_number}"
    if act.chip:
        yield f"chip: {act.chip}"
    if act.follow_up:
        yield f"still to do: {act.follow_up}"


def _chinese(act: Act, rules: RuleSet) -> Iterator[str]:
    subject = _SUBJECT.get(act.subject_kind, "记录")
    before, after = rules.zh("state", act.from_state), rules.zh("state", act.to_state)
    action = _action(act.action, rules)
    yield f"业务{act.act_id}：{action}　{subject}{act.subject}　{before} → {after}"
    if act.subject_kind == "card" and act.bank_from != act.bank_to:
        yield f"银行侧：{rules.zh('state', act.bank_from)} → {rules.zh('state', act.bank_to)}"
    if act.lapses_at:
        yield f"到期自动失效：{rules.calendar.local(act.lapses_at)}"
    if act.fee or act.deposit > 0:
        yield f"工本费 {act.fee / 100:.2f} 元，押金 {act.deposit / 100:.2f} 元"
    if act.deposit < 0:
        yield f"退还押金 {-act.deposit / 100:.2f} 元"
    if act.due:
        yield f"办结期限：{act.due}"
    if act.new_card is not None:
        yield f"新卡：记录{act.new_card}（待制卡）"
    if act.receipt_number:
        yield f"回执：{_paper(act.receipt)} {act.receipt_number}"
    if act.chip:
        yield f"芯片待办：{_CHIP.get(act.chip, act.chip)}"
    if act.follow_up:
        yield f"还须办理：{_action(act.follow_up, rules)}"


def _action(action: str, rules: RuleSet) -> str:
    """The Chinese word of an action, or its code where there is none."""
    try:
        return rules.of_action(action)[0].zh
    except CardkitError:
        return _CHIP.get(action, action)


def _paper(kind: str) -> str:
    """The title of a paper, or its code where there is none."""
    from cardkit.registry.forms import PAPERS  # noqa: PLC0415

    return next((paper.title for code, paper in PAPERS.items() if code.value == kind), kind)
