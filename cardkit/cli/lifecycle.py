"""``cardkit lifecycle``: what happens to a card after it was made, by the rules of the place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from cardkit.cli import common, desk
from cardkit.cli.lifecycle_act import act_options, perform
from cardkit.cli.lifecycle_chip import chip
from cardkit.cli.lifecycle_pin import reset_pin, unlock_pin
from cardkit.cli.lifecycle_temporary import temporary
from cardkit.cli.lifecycle_text import told_legal
from cardkit.cli.output import Output, say
from cardkit.cli.registry_cards import find


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
    "freeze": Verb("freeze", "Put a card on the blacklist 冻结.", bank="bank-freeze"),
    "unfreeze": Verb(
        "unfreeze",
        "Take a card off the blacklist 解冻: it is what it was before.",
        bank="bank-unfreeze",
    ),
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
    "lock-pin": Verb("bank-pin-lock", "The bank says that its PIN is locked 银行密码锁定."),
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


def _verb(name: str, verb: Verb) -> None:
    @act_options
    def run(ctx: click.Context, **given: Any) -> None:  # noqa: ANN401
        action = verb.action
        if given.pop("temporary", False):
            action = verb.temporary
        if given.pop("bank", False):
            action = verb.bank
            if ctx.params.get("temporary"):
                action = f"{verb.bank}-temporary"
        perform(ctx, action, **given)

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
@act_options
def cancel(ctx: click.Context, step: str, **given: Any) -> None:  # noqa: ANN401
    """Cancel a card 注销 in three visits: window, bank, window."""
    perform(ctx, STEPS[step], **given)


@lifecycle.command("change-data")
@act_options
def change_data(ctx: click.Context, **given: Any) -> None:  # noqa: ANN401
    """Change a person's data 信息变更; --details-stdin gives the new ones.

    What was there before stays in the registry.
    """
    perform(ctx, "change-data", **given)


@lifecycle.command()
@click.argument("which", metavar="CARD")
@common.registry_option()
@desk.rules_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def legal(ctx: click.Context, which: str, registry: str | None, *, as_json: bool) -> None:
    """What may be done with a card now 可办业务, and by whom."""
    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
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
    out.lines(told_legal(at, rules, life.rules))


@lifecycle.command()
@common.registry_option()
@desk.rules_option()
@common.lang_option(only_errors=True)
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
    out.line(say(f"{count}张卡的临时挂失已到期，已登记", f"{count} cards"))


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


for _command in (unlock_pin, reset_pin, chip, temporary):
    lifecycle.add_command(_command)
