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
from cardkit.cli.output import Output
from cardkit.cli.registry_cards import find
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.registry.lifecycle import Agent, Appearance, Request
    from cardkit.registry.operators import Operator
    from cardkit.registry.registry import Registry

_CONTENT = 4_096  # characters of a JSON object on standard input
WHO = ("holder", "agent", "employer", "nobody")


def act_options(command: Any) -> Any:  # noqa: ANN401
    """The options every act has."""
    command = desk.rules_option()(given_options(click.pass_context(command)))
    return click.argument("which", metavar="CARD")(command)


def given_options(command: Any) -> Any:  # noqa: ANN401
    """The same without CARD and ``--profile``, for commands that have these in their own way."""
    for option in reversed(
        (
            click.option(
                "--who", type=click.Choice(WHO), help="Who appears 到场人. Default: the first that "
                "the rule allows.",
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
    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        life = desk.lifecycle_of(opened, ctx)
        subject = find(opened, which).card_id if on_card else int(which)
        more = ({"kind": kind} if kind else {}) | _person(opened, person_of)
        asked = request_of(opened, ctx, (action, subject), operator, Given(**given), more)
        act = life.perform(asked)
    out.document(act.as_json())
    out.lines(told(act, desk.rules_of(ctx), out.language))


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
