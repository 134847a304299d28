"""``cardkit operator``: the people who work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cardkit.cli import common, desk
from cardkit.cli.output import Output, say, table

if TYPE_CHECKING:
    from cardkit.registry.operators import Operator

ROLES = ("window", "township", "county", "inspector", "administrator", "encryption")
ROLE = click.option(
    "--role", "roles", type=click.Choice(ROLES), multiple=True, required=True, help="Role 角色."
)
NAME = click.option("--name", required=True, help="Real name 真实姓名.")


@click.group()
def operator() -> None:
    """The people who work with a registry 操作员: real-name accounts, roles, passwords."""


@operator.command()
@click.argument("login")
@NAME
@common.registry_option()
@desk.rules_option()
@desk.password_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def init(
    ctx: click.Context,
    login: str,
    name: str,
    registry: str | None,
    *,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Make the first account, of an administrator 系统管理员.

    Only in a registry without accounts. From then on cards are made by signed-in people.
    """
    out = Output(as_json=as_json)
    with common.open_registry(registry, begins=True) as opened:
        secret = desk.password("New password 新口令", stdin=password_stdin, confirm=True)
        made = desk.accounts(opened, ctx).init(login, name, secret)
    _show(ctx, out, made)


@operator.command()
@click.argument("login")
@NAME
@ROLE
@click.option("--place", default="", help="Code of the place 地点 this person works at.")
@common.registry_option()
@desk.operator_option()
@desk.rules_option()
@desk.password_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def add(
    ctx: click.Context,
    login: str,
    name: str,
    roles: tuple[str, ...],
    place: str,
    registry: str | None,
    *,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Make an account 建立账号 for a person; an administrator does it."""
    from cardkit.registry.attempts import attempted  # noqa: PLC0415
    from cardkit.registry.operators import Role  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        by = desk.signed_in(opened, ctx)
        secret = desk.password("Their first password 初始口令", stdin=password_stdin, confirm=True)
        people = desk.accounts(opened, ctx)
        with attempted(opened.books, by, "operator-add"):
            made = people.add(login, name, map(Role, roles), secret, place=place, by=by)
    _show(ctx, out, made)


@operator.command("list")
@desk.acting
def list_(ctx: click.Context, registry: str | None, *, as_json: bool) -> None:
    """List the accounts 账号; anybody who is signed in may."""
    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        desk.signed_in(opened, ctx)
        found = desk.accounts(opened, ctx).all()
    out.document(
        [_as_json(one.operator) | {"locked": one.locked_for, "made_at": one.made_at}
         for one in found]
    )  # fmt: skip
    rows = [
        (one.operator.login, one.operator.name, _roles(ctx, one.operator), one.operator.place,
         say({"administrator": "系统管理员", "wrong-passwords": "口令多次输错"}, {}).get(
             one.locked_for, one.locked_for))
        for one in found
    ]  # fmt: skip
    headings = say(
        ("账号", "姓名", "角色", "地点", "锁定"), ("LOGIN", "NAME", "ROLES", "PLACE", "LOCKED")
    )
    out.lines(table(rows, headings))


@operator.command()
@click.argument("login")
@ROLE
@desk.acting
def roles(
    ctx: click.Context, login: str, roles: tuple[str, ...], registry: str | None, *, as_json: bool
) -> None:
    """Give a person other roles 角色; an administrator does it."""
    from cardkit.registry.attempts import attempted  # noqa: PLC0415
    from cardkit.registry.operators import Role  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        by = desk.signed_in(opened, ctx)
        with attempted(opened.books, by, "operator-roles"):
            changed = desk.accounts(opened, ctx).set_roles(login, map(Role, roles), by=by)
    _show(ctx, out, changed)


@operator.command()
@click.argument("login")
@click.argument("place", metavar="CODE")
@desk.acting
def place(
    ctx: click.Context, login: str, place: str, registry: str | None, *, as_json: bool
) -> None:
    """Say where a person works 工作地点; an administrator does it. "" takes the place away.

    People of a township act on the people of their township; the rules say which roles are bound.
    """
    from cardkit.registry.attempts import attempted  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        by = desk.signed_in(opened, ctx)
        with attempted(opened.books, by, "operator-place"):
            changed = desk.accounts(opened, ctx).set_place(login, place, by=by)
    _show(ctx, out, changed)


@operator.command()
@click.argument("login")
@click.option("--undo", is_flag=True, help="Let the person work again 解锁.")
@desk.acting
def lock(
    ctx: click.Context, login: str, registry: str | None, *, undo: bool, as_json: bool
) -> None:
    """Lock an account 锁定 and end its sessions; an administrator does it."""
    from cardkit.registry.attempts import attempted  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        by = desk.signed_in(opened, ctx)
        people = desk.accounts(opened, ctx)
        with attempted(opened.books, by, "operator-lock"):
            (people.unlock if undo else people.lock)(login, by=by)
    out.document({"login": login, "locked": not undo})
    out.line(
        say(
            f"{login}：账号已{'解锁' if undo else '锁定'}",
            f"{login} is {'unlocked' if undo else 'locked'}",
        )
    )


@operator.command("password")
@click.argument("login", required=False)
@common.registry_option()
@desk.operator_option()
@desk.rules_option()
@desk.password_option("Take your password and the new one from standard input, a line each.")
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def password(
    ctx: click.Context,
    login: str | None,
    registry: str | None,
    *,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Change your password 修改口令; an administrator gives LOGIN a new one.

    Your own password is asked for first. Every session of that person ends.
    """
    from cardkit.registry.attempts import attempted  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        by = desk.signed_in(opened, ctx)
        people = desk.accounts(opened, ctx)
        people.authenticate(by.login, desk.password("Your password 口令", stdin=password_stdin))
        secret = desk.password("New password 新口令", stdin=password_stdin, confirm=True)
        with attempted(opened.books, by, "operator-password"):
            people.set_password(login or by.login, secret, by=by)
    out.document({"login": login or by.login})
    whose = login or by.login
    out.line(say(f"{whose} 的口令已修改", f"the password of {whose} is changed"))


@operator.command("sign-in")
@click.argument("login")
@common.registry_option()
@desk.rules_option()
@desk.password_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def sign_in(
    ctx: click.Context, login: str, registry: str | None, *, password_stdin: bool, as_json: bool
) -> None:
    """Begin to work 登录; idle for too long, you are signed off by itself."""
    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        secret = desk.password("Password 口令", stdin=password_stdin)
        token = desk.sessions(opened, ctx).sign_in(login, secret)
        desk.keep_token(opened, login, token)
    minutes = desk.rules_of(ctx).operators.idle_minutes
    out.document({"login": login, "idle_minutes": minutes})
    out.line(
        say(
            f"{login} 已登录；{minutes}分钟无操作自动退出",
            f"{login} is signed in; signed off after {minutes} idle minutes",
        )
    )


@operator.command("sign-off")
@desk.acting
def sign_off(ctx: click.Context, registry: str | None, *, as_json: bool) -> None:
    """Stop working 退出."""
    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        desk.sessions(opened, ctx).sign_off(desk.take_token(opened, ctx))
    out.document({"signed_in": False})
    out.line(say("已退出", "signed off"))


def _as_json(one: Operator) -> dict[str, object]:
    return {"login": one.login, "name": one.name, "roles": sorted(one.roles), "place": one.place}


def _show(ctx: click.Context, out: Output, one: Operator) -> None:
    out.document(_as_json(one))
    out.line(say(f"{one.login}：", f"{one.login}: ") + _roles(ctx, one))


def _roles(ctx: click.Context, one: Operator) -> str:
    roles, rules = sorted(one.roles), desk.rules_of(ctx)
    return say("、".join(rules.zh("role", role) for role in roles), ", ".join(roles))
