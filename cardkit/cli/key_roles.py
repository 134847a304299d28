"""Who may do what with keys 职责, on the command line: for encrypted stores, tokens and PSAMs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import click

from cardkit.cli.output import Output, table
from cardkit.errors import UsageError

ROLE = click.option(
    "--role", "given", multiple=True, metavar="ROLE=NAME",
    help="Give a person a role 职责: generate, import, approve or use. Repeat it.",
)  # fmt: skip
TAKE = click.option("--take", multiple=True, metavar="ROLE=NAME", help="Take a role 职责 away.")
REASON = click.option(
    "--reason", required=True, metavar="TEXT", help="Why the clock is right now 原因; on record."
)


def roles_of(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Roles and people of ``ROLE=NAME``.

    Raises
    ------
    UsageError, RoleError
        Another form, no such role, or a person with two.
    """
    from cardkit.keys.custody import check_person, check_roles  # noqa: PLC0415

    roles: dict[str, tuple[str, ...]] = {}
    for word in words:
        role, _, person = word.partition("=")
        if not person:
            raise UsageError(f"{word!r} is no ROLE=NAME", hint="for example approve=wang")
        roles[role] = (*roles.get(role, ()), check_person(person))
    check_roles(roles)
    return roles


def show_roles(now: Mapping[str, tuple[str, ...]], *, as_json: bool) -> None:
    """Who has which role."""
    from cardkit.keys.soft_content import ROLES  # noqa: PLC0415

    out = Output(as_json=as_json)
    out.document({role: list(now.get(role, ())) for role in ROLES})
    rows = [(role, ", ".join(now.get(role, ())) or "–", text) for role, text in ROLES.items()]
    out.lines(table(rows, ("ROLE", "PEOPLE", "MAY")))


def show_clock(said: str) -> None:
    """What was put on record of the clock."""
    click.echo(f"clock 时钟 accepted; {said}")
