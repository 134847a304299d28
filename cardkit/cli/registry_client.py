"""``cardkit registry client``: systems that may ask the registry."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardkit.cli import common, desk
from cardkit.cli.output import Output, table
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.registry.books import Books
    from cardkit.registry.inquiry.clients import Client, Clients
    from cardkit.registry.registry import Registry

RIGHTS = (
    "state", "numbers", "person", "account", "by-person", "by-account", "batch", "blacklist",
    "foreign",
)  # fmt: skip
"""As `cardkit.registry.inquiry.rights.Right`; a test compares them."""

_RIGHT = click.option(
    "--right", "rights", type=click.Choice(RIGHTS), multiple=True, required=True,
    help="What it may ask or see 权限; repeat it.",
)  # fmt: skip


@click.group()
def client() -> None:
    """Systems that may ask the registry 查询客户端."""


@client.command()
@click.argument("name")
@_RIGHT
@click.option(
    "--certificate", type=common.PATH, help="It shows this certificate 证书 (PEM), and no token."
)
@click.option(
    "--network", "networks", multiple=True, metavar="CIDR",
    help="It may ask from here only 网段; repeat it.",
)  # fmt: skip
@click.option(
    "--per-second", type=click.IntRange(min=0), default=100, show_default=True,
    help="Questions a second 频率; 0: no limit.",
)  # fmt: skip
@click.option(
    "--days", type=click.IntRange(1, 3660), default=365, show_default=True,
    help="How long the registration is valid 有效期.",
)  # fmt: skip
@common.registry_option()
@desk.operator_option()
@common.json_option()
def add(
    name: str, rights: tuple[str, ...], certificate: Path | None, networks: tuple[str, ...],
    per_second: int, days: int, registry: str | None, *, as_json: bool,
) -> None:  # fmt: skip
    """Register a system; its token 令牌 is printed this once."""
    from cardkit.registry.inquiry.rights import parse  # noqa: PLC0415

    out = Output(as_json=as_json)
    der = None if certificate is None else _der(certificate)
    until = common.now() + dt.timedelta(days=days)
    with _clients(registry, "client-add") as clients:
        made, token = clients.add(
            name, parse(rights), certificate=der, networks=networks, per_second=per_second,
            valid_until=until.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        )  # fmt: skip
    out.document(_as_json(made) | ({"token": token} if token else {}))
    if token:
        out.line(token)
        out.note(f"the token of {name}: it is shown this once, the registry keeps a digest only")
    else:
        out.line(f"client {name} is known by its certificate")


@client.command("list")
@common.registry_option()
@common.json_option()
def list_(registry: str | None, *, as_json: bool) -> None:
    """List systems 客户端 and their rights 权限."""
    out = Output(as_json=as_json)
    with _clients(registry) as clients:
        known = clients.list()
    out.document([_as_json(one) for one in known])
    headings = ("CLIENT 客户端", "STATE 状态", "BY 凭证", "RIGHTS 权限", "RATE", "UNTIL 有效期")
    out.lines(table([_row(one) for one in known], headings))


@client.command()
@click.argument("name")
@_RIGHT
@common.registry_option()
@desk.operator_option()
@common.json_option()
def rights(name: str, rights: tuple[str, ...], registry: str | None, *, as_json: bool) -> None:
    """Give a system these rights 权限 and no others, at once."""
    from cardkit.registry.inquiry.rights import parse  # noqa: PLC0415

    out = Output(as_json=as_json)
    with _clients(registry, "client-rights") as clients:
        changed = clients.set_rights(name, parse(rights))
    out.document(_as_json(changed))
    out.line(f"client {name}: {' '.join(sorted(changed.rights))}")


@client.command()
@click.argument("name")
@common.registry_option()
@desk.operator_option()
@common.json_option()
def revoke(name: str, registry: str | None, *, as_json: bool) -> None:
    """Take all rights away 吊销, at once and for good."""
    out = Output(as_json=as_json)
    with _clients(registry, "client-revoke") as clients:
        revoked = clients.revoke(name)
    out.document(_as_json(revoked))
    out.line(f"client {name} is revoked")


@client.command("who-asked")
@click.option(
    "--by", type=click.Choice(["card_number", "card_id_code", "citizen_number",
                               "insurance_number", "bank_card_number"]),
    default="citizen_number", show_default=True, help="Kind of number.",
)  # fmt: skip
@common.registry_option()
@desk.operator_option()
@common.json_option()
def who_asked(by: str, registry: str | None, *, as_json: bool) -> None:
    """Tell who asked for a number 查询记录; it is read from standard input.

    The rows are compared with the digests in the history first.
    """
    from cardkit.registry.inquiry.questions import By, Question  # noqa: PLC0415
    from cardkit.registry.inquiry.record import Record  # noqa: PLC0415

    out = Output(as_json=as_json)
    number = sys.stdin.readline().strip().upper()
    with (
        common.open_registry(registry) as opened,
        _answered_for(opened, "who-asked", "administrator", "inspector") as books,
    ):
        record = Record(books)
        problem = record.verify()
        rows = record.about(Question(By(by), number))
    if problem:
        raise UsageError(problem, hint="keep a copy of the registry and call the inspector")
    out.document(
        [
            {"instant": row.instant, "client": row.client, "rights": row.rights.split(),
             "result": row.result}
            for row in rows
        ]
    )  # fmt: skip
    headings = ("WHEN 时间", "CLIENT 客户端", "SAW 内容", "RESULT 结果")
    out.lines(table([(r.instant, r.client, r.rights, r.result) for r in rows], headings))


@contextmanager
def _clients(registry: str | None, action: str = "") -> Iterator[Clients]:
    """The clients of a registry; whoever changes them is an administrator, once there are any."""
    from cardkit.registry.inquiry.clients import Clients  # noqa: PLC0415

    with (
        common.open_registry(registry, only_look=not action) as opened,
        _answered_for(opened, action, "administrator") as books,
    ):
        yield Clients(books)


@contextmanager
def _answered_for(opened: Registry, action: str, *roles: str) -> Iterator[Books]:
    """The books in the hands of a signed-in person with one of some roles.

    A registry without accounts asks for nobody; a refusal is in the history.
    """
    ctx = click.get_current_context()
    if not action or not desk.accounts(opened, ctx).exist():
        yield opened.books
        return
    from cardkit.registry.attempts import attempted, need_role  # noqa: PLC0415
    from cardkit.registry.operators import Role  # noqa: PLC0415

    operator = desk.signed_in(opened, ctx)
    with attempted(opened.books, operator, action):
        need_role(operator, action, *map(Role, roles))
    yield opened.books.by(operator.login)


def _der(path: Path) -> bytes:
    """The certificate in a PEM file."""
    import ssl  # noqa: PLC0415

    try:
        return ssl.PEM_cert_to_DER_cert(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: no certificate ({error})", hint="a PEM file") from None


def _as_json(one: Client) -> dict[str, object]:
    return {
        "name": one.name,
        "state": one.state,
        "by": "certificate" if one.by_certificate else "token",
        "rights": sorted(one.rights),
        "networks": [str(network) for network in one.networks],
        "per_second": one.per_second,
        "valid_until": one.valid_until,
        "made_at": one.made_at,
    }


def _row(one: Client) -> tuple[str, ...]:
    shown = _as_json(one)
    rights = " ".join(sorted(one.rights))
    return (
        one.name,
        one.state,
        str(shown["by"]),
        rights,
        f"{one.per_second}/s" if one.per_second else "unlimited 不限",
        one.valid_until[:10],
    )
