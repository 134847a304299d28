"""The table of transitions as Markdown: docs/lifecycle.md and ``cardkit lifecycle table``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cardkit.registry.lifecycle.rules import RuleSet
from cardkit.registry.lifecycle.transition import OR, SUBJECTS, Transition

_TITLES = {
    "card": "Cards, the social-security side 社保侧",
    "bank": "Cards, the bank's side 银行侧",
    "application": "Applications 申领",
    "temporary": "Temporary cards 临时卡",
}


def describe(rules: RuleSet) -> str:
    """All rules, one table a subject."""
    lines: list[str] = []
    for subject in SUBJECTS:
        lines += ["", f"### {_TITLES[subject]}", ""]
        lines.append(
            "| action | from | to | role | second | who appears, papers | channel | "
            "form, receipt | money, days | chip, bank, insurance |"
        )
        lines.append("|---|---|---|---|---|---|---|---|---|---|")
        lines += [_line(rule) for rule in rules.transitions if rule.subject == subject]
    return "\n".join(lines).strip() + "\n"


def _line(rule: Transition) -> str:
    cells = (
        f"`{rule.action}` {rule.zh}",
        _list(sorted(rule.sources)) + _sides(rule),
        rule.target,
        _list(sorted(rule.roles))
        + (f", not by who did {_list(sorted(rule.not_by))}" * bool(rule.not_by)),
        _list(sorted(rule.approvers)) or "yes" if rule.second else "",
        "; ".join(_appearing(rule)),
        _list(sorted(rule.channels)),
        _list(filter(None, (rule.form, rule.receipt))),
        "; ".join(_money_and_days(rule)),
        "; ".join(_effects(rule)),
    )
    return f"| {' | '.join(cells)} |"


def _sides(rule: Transition) -> str:
    found = [f"bank {_list(sorted(rule.bank_in))}"] if rule.bank_in else []
    found += [f"card {_list(sorted(rule.card_in))}"] if rule.card_in else []
    return f" ({'; '.join(found)})" if found else ""


def _appearing(rule: Transition) -> Iterator[str]:
    for who in sorted(rule.appears):
        papers = rule.papers.get(who, frozenset())
        yield who + (f": {_list(sorted(papers))}" if papers else "").replace(OR, " or ")
        for special, wanted in rule.papers.items():
            if special.startswith(f"{who}@"):
                yield f"{special}: {_list(sorted(wanted))}".replace(OR, " or ")


def _money_and_days(rule: Transition) -> Iterator[str]:
    if rule.fee:
        yield f"fee {rule.fee / 100:.2f} yuan" + ", the first time free" * rule.first_free
    if rule.deposit:
        yield f"deposit {rule.deposit / 100:.2f} yuan"
    if rule.deposit_end:
        yield f"deposit: {rule.deposit_end}"
    if rule.working_days:
        yield f"{rule.working_days} working days"
    if rule.days:
        yield f"{rule.days} days"
    if rule.lapse_days:
        yield f"lapses after {rule.lapse_days} days"


def _effects(rule: Transition) -> Iterator[str]:
    if rule.chip:
        yield f"chip: {rule.chip}"
    if rule.bank_to:
        yield f"bank: {rule.bank_to}"
    if rule.bank_note:
        yield f"bank is told: {rule.bank_note}"
    if rule.insurance:
        yield f"insurance: {rule.insurance}"
    if rule.new_card:
        yield "a new record is planned"
    if rule.changes_data:
        yield "data change, what was there stays"
    if rule.opens_account:
        yield "an account"


def _list(words: Iterable[str]) -> str:
    return ", ".join(words)
