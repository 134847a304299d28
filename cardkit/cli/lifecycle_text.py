"""Acts, legal moves and what is left to do, as operators read them: Chinese, or English."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from cardkit.cli.output import say, table

if TYPE_CHECKING:
    from cardkit.registry.lifecycle import Act, RuleSet, Transition
    from cardkit.registry.lifecycle.chips import ChipWork
    from cardkit.registry.lifecycle.pool import TemporaryCard
    from cardkit.registry.lifecycle.standing import Standing

COMMANDS: Mapping[str, str] = {
    "open": "activate",
    "report-loss-temporary": "report-loss --temporary",
    "cancel-bank": "cancel --step bank",
    "cancel-finish": "cancel --step finish",
    "cancel-withdraw": "cancel --step withdraw",
    "bank-open": "open-account",
    "bank-activate": "activate --bank",
    "bank-report-loss-temporary": "report-loss --bank --temporary",
    "bank-report-loss": "report-loss --bank",
    "bank-find": "find --bank",
    "bank-freeze": "freeze --bank",
    "bank-unfreeze": "unfreeze --bank",
    "bank-pin-lock": "lock-pin",
    "bank-pin-unlock": "unlock-pin --bank",
    "bank-pin-loss": "lose-pin",
    "bank-pin-reset": "reset-pin --bank",
    "bank-close": "close-account",
    "temporary-out": "temporary out",
    "temporary-back": "temporary back",
    "temporary-wipe": "temporary wipe",
    "temporary-lost": "temporary lost",
    "temporary-retire": "temporary retire",
}
"""What is typed after ``cardkit lifecycle`` for an action that has another name there."""

_KINDS = {
    "card": ("记录", "record"),
    "temporary": ("临时卡", "temporary card"),
    "application": ("申请", "application"),
}
_FOLLOW_UP = {"remake": "卡面信息有变，须重制卡", "write-chip": "卡内信息有变，须写卡"}


def told(act: Act, rules: RuleSet) -> list[str]:
    """An act in lines, with times of the place; nothing personal."""
    rule = rules.of_action(act.action)[0]
    found = (*_moved(act, rule, rules), *_money(act, rule), *_follows(act, rule, rules))
    return [say(zh, en) for holds, zh, en in found if holds]


_Line = tuple[bool, str, str]
"""Whether it is to be told, in Chinese, in English."""


def _moved(act: Act, rule: Transition, rules: RuleSet) -> Iterator[_Line]:
    def state(code: str) -> str:
        return rules.zh("state", code)

    zh, en = _KINDS.get(act.subject_kind, _KINDS["card"])
    move = f"{state(act.from_state)} → {state(act.to_state)}"
    yield (
        True,
        f"业务{act.act_id}：{rule.zh}：{zh}{act.subject} {move}",
        f"act {act.act_id}: {act.action}: {en} {act.subject} {act.from_state} → {act.to_state}",
    )
    yield (
        act.subject_kind == "card" and act.bank_from != act.bank_to,
        f"银行侧：{state(act.bank_from)} → {state(act.bank_to)}",
        f"bank side: {act.bank_from} → {act.bank_to}",
    )
    until = rules.calendar.local(act.lapses_at)
    yield bool(until), f"{until} 自动失效", f"lapses by itself at {until}"


def _money(act: Act, rule: Transition) -> Iterator[_Line]:
    fee, deposit = f"{act.fee / 100:.2f}", f"{abs(act.deposit) / 100:.2f}"
    yield act.fee > 0, f"收费 {fee} 元", f"fee {fee} yuan"
    yield rule.fee > act.fee, "首次办理，免收费", "no fee the first time"
    yield act.deposit > 0, f"收押金 {deposit} 元", f"deposit {deposit} yuan"
    yield act.deposit < 0, f"退还押金 {deposit} 元", f"deposit given back {deposit} yuan"


def _follows(act: Act, rule: Transition, rules: RuleSet) -> Iterator[_Line]:
    yield bool(act.due), f"期限：{act.due}", f"due by {act.due}"
    yield (
        act.new_card is not None,
        f"新卡已登记为记录{act.new_card}，待制卡",
        f"record {act.new_card} is planned in its place",
    )
    number = act.receipt_number
    receipt = rules.zh("receipt", act.receipt)
    yield bool(number), f"{receipt} {number}", f"receipt {act.receipt} {number}"
    note = rules.zh("bank_note", rule.bank_note)
    yield bool(note), f"须通知银行：{note}", f"tell the bank: {rule.bank_note}"
    yield bool(act.chip), f"卡片：{rules.zh('chip', act.chip)}", f"chip: {act.chip}"
    left = _FOLLOW_UP.get(act.follow_up, act.follow_up)
    yield bool(left), f"待办：{left}", f"still to do: {act.follow_up}"


def told_legal(at: Standing, moves: Sequence[Transition], rules: RuleSet) -> Iterator[str]:
    """Where a card stands on both sides, and what may be done with it, by which command."""
    zh = rules.zh
    yield say(
        f"记录{at.card_id}：{zh('state', at.state)}；银行侧：{zh('state', at.bank_state)}",
        f"record {at.card_id}: {at.state}, at the bank {at.bank_state}",
    )
    for side, until in (("", at.lapses_at), ("bank ", at.bank_lapses_at)):
        if until:
            local = rules.calendar.local(until)
            yield say(
                f"{'银行侧' * bool(side)}临时挂失至 {local}",
                f"{side}temporary loss until {local}",
            )
    if not moves:
        yield say("没有可以办理的业务", "nothing can be done with it any more")
        return
    headings = say(
        ("业务", "命令 cardkit lifecycle", "转为", "办理角色", "到场", "复核"),
        ("ACTION", "COMMAND cardkit lifecycle", "LEADS TO", "ROLE", "WHO APPEARS", "TWO PEOPLE"),
    )
    yield from table([_legal_row(rule, rules) for rule in moves], headings)


def _legal_row(rule: Transition, rules: RuleSet) -> tuple[str, ...]:
    command = COMMANDS.get(rule.action, rule.action)
    roles, who = sorted(rule.roles), sorted(rule.appears)
    if say(zh=False, en=True):
        return (rule.action, command, rule.target, ", ".join(roles), ", ".join(who),
                "yes" * rule.second)  # fmt: skip
    to = {"previous": "原状态", "same": "不变"}.get(rule.target, rules.zh("state", rule.target))
    return (
        rule.zh, command, to, "、".join(rules.zh("role", role) for role in roles),
        "、".join(rules.zh("appears", one) for one in who), "双人" * rule.second,
    )  # fmt: skip


def told_pending(work: Sequence[ChipWork], rules: RuleSet) -> list[str]:
    """What acts left to be done to chips."""
    headings = say(
        ("业务号", "时间", "业务", "卡片待办", "对象", "经办"),
        ("ACT", "AT", "ACTION", "CHIP", "RECORD", "BY"),
    )
    return table([_pending_row(one, rules) for one in work], headings)


def _pending_row(one: ChipWork, rules: RuleSet) -> tuple[str, ...]:
    at = rules.calendar.local(one.instant)
    action = say(rules.of_action(one.action)[0].zh, one.action)
    subject = say({"temporary": "临时卡"}.get(one.subject, "记录"), f"{one.subject} ")
    return (str(one.act_id), at, action, say(rules.zh("chip", one.chip), one.chip),
            f"{subject}{one.number}", one.operator)  # fmt: skip


def told_pool(found: Sequence[TemporaryCard], rules: RuleSet) -> list[str]:
    """Temporary cards, and who should bring one back."""
    headings = say(
        ("编号", "卡面编号", "状态", "借用人记录", "借出时间", "应还日期", ""),
        ("N", "SERIAL", "STATE", "FOR RECORD", "OUT AT", "DUE", ""),
    )
    local = rules.calendar.local
    rows = [
        (str(one.number), one.serial, say(rules.zh("state", one.state), one.state),
         str(one.card or ""), local(one.out_at), one.due,
         say("逾期", "overdue") * one.overdue)
        for one in found
    ]  # fmt: skip
    return table(rows, headings)
