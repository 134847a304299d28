"""Acts from the command line: the options they all have, doing them, telling of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from cardkit.cli import common, desk
from cardkit.cli.lifecycle_text import told
from cardkit.cli.output import Output, say
from cardkit.cli.registry_cards import find
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.registry.lifecycle import Act, Agent, Appearance, Request
    from cardkit.registry.lifecycle.chips import ChipWork
    from cardkit.registry.operators import Operator
    from cardkit.registry.registry import Registry

_CONTENT = 4_096  # characters of a JSON object on standard input
WHO = ("holder", "nobody", "employer", "agent")
"""Who may appear, the likeliest first; an agent has to be named, so nobody is taken for one."""


def act_options(command: Any) -> Any:  # noqa: ANN401
    """The options every act has."""
    command = desk.rules_option()(given_options(click.pass_context(command)))
    return click.argument("which", metavar="CARD")(command)


def given_options(command: Any) -> Any:  # noqa: ANN401
    """The same without CARD and ``--profile``, for commands that have these in their own way."""
    for option in reversed(
        (
            click.option(
                "--who", type=click.Choice(WHO), help="Who appears 到场人. Default: the holder, "
                "else nobody, else the employer, as the rule allows.",
            ),
            click.option(
                "--paper", "papers", multiple=True, metavar="CODE",
                help="A paper that was shown 材料, such as id, card, agent-id. Repeat it.",
            ),
            click.option("--channel", default="window", show_default=True, help="Channel 渠道."),
            click.option("--reason", default="", help="Why 原因: lost, damaged, other ... or "
                "another code word. No personal data."),
            click.option(
                "--details-stdin", is_flag=True,
                help="Read a JSON object, one line, from standard input: \"agent\" with name, "
                "citizen_number, phone, relation; other names are data of the act.",
            ),
            desk.second_options,
            common.registry_option(),
            desk.operator_option(),
            common.lang_option(only_errors=True),
            common.json_option(),
        )
    ):  # fmt: skip
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Given:
    """What the options of an act said; see `act_options`."""

    who: str | None
    papers: tuple[str, ...]
    channel: str
    reason: str
    details_stdin: bool
    approval: int | None
    second: str | None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Given:
        """Those of some options that belong to an act."""
        return cls(**{name: options[name] for name in cls.__slots__})


def perform(
    ctx: click.Context,
    action: str,
    *,
    which: str,
    registry: str | None,
    as_json: bool,
    kind: str | None = None,
    person_of: str | None = None,
    on_card: bool = True,
    **given: Any,  # noqa: ANN401 - the fields of `Given`
) -> None:
    """Do an act that needs no chip, and tell of it."""
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        life = desk.lifecycle_of(opened, ctx)
        subject = find(opened, which).card_id if on_card else int(which)
        more = ({"kind": kind} if kind else {}) | _person(opened, person_of)
        asked = request_of(opened, ctx, (action, subject), operator, Given(**given), more)
        act = life.perform(asked)
        lent = _still_lent(opened, subject) if action == "hand-out" else []
    show(ctx, act, as_json=as_json)
    for number, serial in lent:
        Output(as_json=as_json).note(
            say(
                f"持卡人借用的临时卡{number}（{serial}）尚未归还：请收回并退还押金",
                f"the holder still has temporary card {number} ({serial}): take it back",
            )
        )


def _still_lent(opened: Registry, card_id: int) -> list[tuple[int, str]]:
    """The temporary cards of somebody who has the formal card now [D10]."""
    from cardkit.registry.lifecycle.pool import lent_to_holder  # noqa: PLC0415

    return lent_to_holder(opened.books, card_id)


def request_of(
    opened: Registry,
    ctx: click.Context,
    what: tuple[str, int],
    operator: Operator,
    given: Given,
    more: Mapping[str, str] = MappingProxyType({}),
) -> Request:
    """The request that a command line means; the second person's password is asked for here.

    Parameters
    ----------
    what : (str, int)
        Action and number of the record.
    """
    from cardkit.registry.lifecycle import Request  # noqa: PLC0415

    action, subject = what
    details, agent = _details(wanted=given.details_stdin)
    rule = desk.rules_of(ctx).of_action(action)[0]
    second = desk.beside(opened, ctx, given.second)
    appearance = _appearance(given.who or min(rule.appears, key=WHO.index), given.papers, agent)
    return Request(
        action, subject, operator, appearance, given.approval, given.channel, given.reason,
        details | dict(more), second=second,
    )  # fmt: skip


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


def show(ctx: click.Context, act: Act, *, as_json: bool, chip_done: bool = False) -> None:
    """Tell of an act; `chip_done` where its chip was seen to, too."""
    out = Output(as_json=as_json)
    out.document(act.as_json() | ({"chip_done": True} if chip_done else {}))
    out.lines(told(act, desk.rules_of(ctx)))
    if chip_done:
        out.line(say("卡片已处理", "the chip is done"))


def show_finished(ctx: click.Context, work: ChipWork, *, as_json: bool) -> None:
    """Tell that the chip side of an earlier act is done now."""
    out = Output(as_json=as_json)
    out.document(work.as_json() | {"taken_up": True, "chip_done": True})
    action = desk.rules_of(ctx).of_action(work.action)[0].zh
    out.line(
        say(
            f"业务{work.act_id}（{action}）先前已登记，卡片现已处理",
            f"act {work.act_id} ({work.action}) was on record before; its chip is done now",
        )
    )
