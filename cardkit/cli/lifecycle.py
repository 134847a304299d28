"""``cardkit lifecycle``: what happens to a card after it was made, by the rules of the place."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from cardkit.cli import common, desk
from cardkit.cli.output import Output, table
from cardkit.cli.registry_cards import find
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.registry.lifecycle import Act, Agent, Appearance
    from cardkit.registry.registry import Registry

_CONTENT = 4_096  # characters of a JSON object on standard input
WHO = ("holder", "agent", "employer", "nobody")


@dataclass(frozen=True, slots=True)
class Verb:
    """A command for one action.

    Parameters
    ----------
    action : str
        Name in the rule set.
    help : str
        What it does.
    bank : str
        The same action on the bank's side, where ``--bank`` asks for it.
    temporary : str
        The action of ``--temporary``.
    """

    action: str
    help: str
    bank: str = ""
    temporary: str = ""


VERBS: Mapping[str, Verb] = {
    "hand-out": Verb("hand-out", "Give a card to its holder 发放; two people do it."),
    "activate": Verb(
        "open", "Open a card 启用; before that it does nothing.", bank="bank-activate"
    ),
    "suspend": Verb("suspend", "Stop a card for a while 暂停."),
    "release": Verb("release", "End a suspension 恢复: the card is what it was before."),
    "freeze": Verb("freeze", "Put a card on the blacklist 冻结."),
    "unfreeze": Verb("unfreeze", "Take a card off the blacklist 解冻: it is what it was before."),
    "report-loss": Verb(
        "report-loss",
        "Report a loss 挂失, formally; with --temporary by phone, which lapses by itself.",
        bank="bank-report-loss",
        temporary="report-loss-temporary",
    ),
    "find": Verb("find", "A lost card was found again 解挂.", bank="bank-find"),
    "replace": Verb(
        "replace", "Plan a new card for a lost one 补卡; the old one is dead for ever."
    ),
    "exchange": Verb(
        "exchange", "Plan a new card for a damaged one, or of another kind 换卡; see --kind."
    ),
    "remake": Verb("remake", "Plan a new card for one with a wrong face or wrong data 重制."),
    "transfer": Verb("transfer", "Holder and insurance go to another place 转移."),
    "unlock-pin": Verb(
        "unlock-pin", "The holder wants the PIN unlocked 密码解锁.", bank="bank-pin-unlock"
    ),
    "reset-pin": Verb(
        "reset-pin", "The holder wants the PIN reset 密码重置.", bank="bank-pin-reset"
    ),
    "lose-pin": Verb("bank-pin-loss", "The bank PIN is lost 银行密码挂失: no more unlocking."),
    "open-account": Verb("bank-open", "The bank opened an account 银行开户; see --details-stdin."),
    "close-account": Verb("bank-close", "The bank closed the account 银行销户."),
    "end": Verb("end", "The holder died 终止, or is declared dead."),
}
"""Commands that are one action on one card."""

STEPS: Mapping[str, str] = {
    "window": "cancel",
    "bank": "cancel-bank",
    "finish": "cancel-finish",
    "withdraw": "cancel-withdraw",
}
"""The visits of ``cancel``."""


@click.group()
def lifecycle() -> None:
    """What happens to a card after it was made 卡生命周期: by the rules of the place.

    CARD is the number of the record, the card number 卡号 or the card id code 卡识别码; - reads it,
    or a citizen number, from standard input. Who works is signed in (cardkit operator sign-in).
    """


def _options(command: Any) -> Any:  # noqa: ANN401
    """The options every act has."""
    for option in reversed(
        (
            click.argument("which", metavar="CARD"),
            click.option(
                "--who", type=click.Choice(WHO), help="Who appears 到场人. Default: the first that "
                "the rule allows.",
            ),
            click.option(
                "--paper", "papers", multiple=True, metavar="CODE",
                help="A paper that was shown 材料, such as id, card, agent-id. Repeat it.",
            ),
            click.option("--channel", default="window", show_default=True, help="Channel 渠道."),
            click.option("--reason", default="", help="Why 原因, a word. No personal data."),
            click.option(
                "--details-stdin", is_flag=True,
                help="Read a JSON object, one line, from standard input: \"agent\" with name, "
                "citizen_number, phone, relation; other names are data of the act.",
            ),
            desk.second_options,
            common.registry_option(),
            desk.operator_option(),
            desk.rules_option(),
            common.lang_option(only_errors=True),
            common.json_option(),
            click.pass_context,
        )
    ):  # fmt: skip
        command = option(command)
    return command


def _verb(name: str, verb: Verb) -> None:
    @_options
    def run(ctx: click.Context, **given: Any) -> None:  # noqa: ANN401
        action = verb.action
        if given.pop("temporary", False):
            action = verb.temporary
        if given.pop("bank", False):
            action = verb.bank
            if ctx.params.get("temporary"):
                action = f"{verb.bank}-temporary"
        _perform(ctx, action, **given)

    if verb.bank:
        run = click.option("--bank", is_flag=True, help="On the bank's side 银行侧.")(run)
    if verb.temporary:
        run = click.option("--temporary", is_flag=True, help="By phone 临时; lapses by itself.")(
            run
        )
    if name == "exchange":
        run = click.option("--kind", help="Kind of the new card 卡种.")(run)
    lifecycle.command(name, help=verb.help)(run)


for _name, _value in VERBS.items():
    _verb(_name, _value)


@lifecycle.command()
@click.option(
    "--step", type=click.Choice(list(STEPS)), default="window", show_default=True,
    help="Which visit: window, bank, finish; or withdraw 撤回.",
)  # fmt: skip
@_options
def cancel(ctx: click.Context, step: str, **given: Any) -> None:  # noqa: ANN401
    """Cancel a card 注销 in three visits: window, bank, window."""
    _perform(ctx, STEPS[step], **given)


@lifecycle.command("change-data")
@_options
def change_data(ctx: click.Context, **given: Any) -> None:  # noqa: ANN401
    """Change a person's data 信息变更; --details-stdin gives the new ones.

    What was there before stays in the registry.
    """
    _perform(ctx, "change-data", **given)


@lifecycle.command()
@click.argument("which", metavar="CARD")
@common.registry_option()
@desk.rules_option()
@common.json_option()
@click.pass_context
def legal(ctx: click.Context, which: str, registry: str | None, *, as_json: bool) -> None:
    """What may be done with a card now 可办业务, and by whom."""
    out = Output(as_json=as_json)
    with common.open_registry(registry, must_exist=True) as opened:
        life = desk.lifecycle_of(opened, ctx)
        card_id = find(opened, which).card_id
        at, rules = life.standing(card_id), life.legal(card_id)
    out.document(
        {
            "card_id": card_id,
            "state": at.state,
            "bank_state": at.bank_state,
            "lapses_at": at.lapses_at,
            "bank_lapses_at": at.bank_lapses_at,
            "legal": [rule.as_json() for rule in rules],
        }
    )
    out.line(f"record {card_id}: {at.state}, at the bank {at.bank_state}")
    rows = [
        (rule.action, rule.zh, rule.target, ", ".join(sorted(rule.roles)),
         ", ".join(sorted(rule.appears)), "two people" if rule.second else "")
        for rule in rules
    ]  # fmt: skip
    out.lines(table(rows, ("ACTION", "", "LEADS TO", "ROLE", "WHO APPEARS", "")))


@lifecycle.command()
@common.registry_option()
@desk.rules_option()
@common.json_option()
@click.pass_context
def lapse(ctx: click.Context, registry: str | None, *, as_json: bool) -> None:
    """Write down which temporary losses have run out 临时挂失到期.

    Every question takes a lapse into account without this; it makes the history complete.
    """
    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        count = desk.lifecycle_of(opened, ctx).lapse()
    out.document({"lapsed": count})
    out.line(f"{count} cards")


@lifecycle.command("table")
@desk.rules_option()
@common.json_option()
@click.pass_context
def table_(ctx: click.Context, *, as_json: bool) -> None:
    """The whole table of transitions 状态变迁表 of the profile."""
    from cardkit.registry.lifecycle.describing import describe  # noqa: PLC0415

    out = Output(as_json=as_json)
    rules = desk.rules_of(ctx)
    out.document([rule.as_json() for rule in rules.transitions])
    out.lines(describe(rules).splitlines())


@lifecycle.group()
def temporary() -> None:
    """Temporary cards 临时卡: a pool that is lent against a deposit."""


@temporary.command("add")
@click.argument("serials", metavar="SERIAL...", nargs=-1, required=True)
@common.registry_option()
@desk.operator_option()
@desk.rules_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def temporary_add(
    ctx: click.Context, serials: tuple[str, ...], registry: str | None, *, as_json: bool
) -> None:
    """Put cards into the pool, by the serials printed on them."""
    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        by = desk.signed_in(opened, ctx)
        numbers = desk.lifecycle_of(opened, ctx).stock_pool(serials, operator=by)
    out.document(dict(zip(serials, numbers, strict=True)))
    out.lines(f"{serial}: number {number}" for serial, number in zip(serials, numbers, strict=True))


def _temporary(name: str, text: str) -> None:
    @_options
    def run(ctx: click.Context, which: str, **given: Any) -> None:  # noqa: ANN401
        if not which.isdecimal():
            raise UsageError(
                "a temporary card is named by its number", hint="`temporary add` gave it"
            )
        _perform(ctx, f"temporary-{name}", which=which, on_card=False, **given)

    if name == "out":
        run = click.option("--for", "person_of", metavar="CARD", required=True,
                           help="A card record of the person who borrows it.")(run)  # fmt: skip
    temporary.command(name, help=text)(run)


for _name, _text in {
    "out": "Lend a temporary card 借出; the deposit is taken.",
    "back": "A temporary card comes back 归还; the deposit is given back.",
    "wipe": "The returned card was wiped 清除 and may be lent again, under another number.",
    "lost": "A temporary card is lost 遗失; the deposit is kept.",
    "retire": "Take a temporary card out of the pool for good 停用.",
}.items():
    _temporary(_name, _text)


# --- doing it ------------------------------------------------------------------------------------


def _perform(
    ctx: click.Context,
    action: str,
    *,
    which: str,
    who: str | None,
    papers: tuple[str, ...],
    channel: str,
    reason: str,
    details_stdin: bool,
    approval: int | None,
    second: str | None,
    registry: str | None,
    as_json: bool,
    kind: str | None = None,
    person_of: str | None = None,
    on_card: bool = True,
) -> None:
    from cardkit.registry.lifecycle import Request  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        life = desk.lifecycle_of(opened, ctx)
        subject = find(opened, which).card_id if on_card else int(which)
        details, agent = _details(wanted=details_stdin)
        details |= {"kind": kind} if kind else {}
        details |= _person(opened, person_of)
        rule = life.rules.of_action(action)[0]
        number = desk.approval(
            opened, ctx, action, subject, operator=operator, number=approval, second=second
        )
        act = life.perform(
            Request(
                action,
                subject,
                operator,
                _appearance(who or min(rule.appears, key=WHO.index), papers, agent),
                number,
                channel,
                reason,
                details,
            )
        )
    out.document(act.as_json())
    out.lines(_told(act))


def _appearance(who: str, papers: tuple[str, ...], agent: Agent | None) -> Appearance:
    from cardkit.registry.lifecycle import Appearance, Appears  # noqa: PLC0415

    return Appearance(Appears(who), frozenset(papers), agent)


def _person(opened: Registry, which: str | None) -> dict[str, str]:
    return {"person": str(find(opened, which).person_id)} if which else {}


def _details(*, wanted: bool) -> tuple[dict[str, str], Agent | None]:
    """What standard input says about the act, and the agent."""
    if not wanted:
        return {}, None
    from cardkit.registry.lifecycle import Agent  # noqa: PLC0415

    try:
        content = json.loads(sys.stdin.readline(_CONTENT))
        agent = content.pop("agent", None)
        details = {str(name): str(value) for name, value in content.items()}
        return details, Agent(**agent) if agent else None
    except (ValueError, TypeError, AttributeError):
        raise UsageError(
            "standard input is not such a JSON object",
            hint='for example {"agent": {"name": "...", "citizen_number": "..."}}',
            zh="标准输入不是所要的 JSON 对象：请核对",
        ) from None


def _told(act: Act) -> list[str]:
    """The act in lines for people; nothing personal."""
    lines = [f"{act.action}: record {act.subject} {act.from_state} → {act.to_state}"]
    if act.subject_kind == "card" and act.bank_from != act.bank_to:
        lines.append(f"bank side: {act.bank_from} → {act.bank_to}")
    if act.lapses_at:
        lines.append(f"lapses by itself at {act.lapses_at}")
    if act.fee or act.deposit:
        lines.append(f"fee {act.fee / 100:.2f} yuan, deposit {act.deposit / 100:.2f} yuan")
    if act.due:
        lines.append(f"due by {act.due}")
    if act.new_card is not None:
        lines.append(f"record {act.new_card} is planned in its place")
    if act.receipt_number:
        lines.append(f"receipt {act.receipt} {act.receipt_number}")
    if act.chip:
        lines.append(f"chip: {act.chip}")
    if act.follow_up:
        lines.append(f"still to do: {act.follow_up}")
    return lines
