"""Who works at this window: signing in, the second person, the rules of the place.

The token of a session lies in a file that only this user can read; passwords are asked for at the
terminal or read from standard input, never taken from the command line.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardkit.cli import common, places
from cardkit.cli.common import Decorator, F
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.registry.lifecycle import Lifecycle, RuleSet
    from cardkit.registry.operators import Operator, Operators, Sessions
    from cardkit.registry.registry import Registry

_LONGEST = 256  # characters of a line that may be a password


# --- options -------------------------------------------------------------------------------------


def operator_option() -> Decorator:
    """``--operator`` (parameter ``operator``): who works; `signed_in` reads it."""
    return click.option(
        "--operator",
        metavar="LOGIN",
        envvar="CARDKIT_OPERATOR_LOGIN",
        expose_value=False,
        callback=_remember("operator"),
        help="Who works 操作员, signed in before. Default: whoever is, if it is one person.",
    )


def rules_option() -> Decorator:
    """``--profile`` for commands that only want its rules; `rules_of` reads it."""
    return click.option(
        "--profile",
        type=common.ProfileName(),
        metavar="NAME|FILE",
        envvar="CARDKIT_PROFILE",
        expose_value=False,
        callback=_remember("profile"),
        help="Profile 配置 whose rules hold. Default: the shipped rules.",
    )


def acting(command: F) -> F:
    """The options of everything somebody signed in does or looks at."""
    decorated: Any = command
    for option in reversed(
        (
            common.registry_option(),
            operator_option(),
            rules_option(),
            common.lang_option(only_errors=True),
            common.json_option(),
            click.pass_context,
        )
    ):
        decorated = option(decorated)
    made: F = decorated
    return made


def second_options(command: F) -> F:
    """``--approval`` and ``--second`` (parameters of these names); `approval` reads them."""
    number = click.option(
        "--approval",
        type=click.IntRange(min=1),
        metavar="N",
        help="Number of the approval 复核 that a second person granted.",
    )
    second = click.option(
        "--second",
        metavar="LOGIN",
        help="Second person 复核人 beside you, asked for the password now.",
    )
    return number(second(command))


def password_option(text: str = "") -> Decorator:
    """``--password-stdin`` (parameter ``password_stdin``)."""
    return click.option(
        "--password-stdin",
        is_flag=True,
        help=text or "Take the password 口令 from standard input, a line each.",
    )


def _remember(name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
    def keep(ctx: click.Context, param: click.Parameter, value: str | None) -> None:  # noqa: ARG001
        ctx.meta[f"cardkit.{name}"] = value

    return keep


# --- rules ---------------------------------------------------------------------------------------


def rules_of(ctx: click.Context) -> RuleSet:
    """The rules of the profile that the command line names, or the shipped ones."""
    from cardkit.registry import lifecycle  # noqa: PLC0415

    name = ctx.meta.get("cardkit.profile") or ctx.params.get("profile")
    name = name or os.environ.get("CARDKIT_PROFILE")
    return lifecycle.load(common.load_profile(name) if name else None)


def lifecycle_of(registry: Registry, ctx: click.Context) -> Lifecycle:
    """The life of the cards of a registry under those rules."""
    from cardkit.registry.lifecycle import Lifecycle  # noqa: PLC0415

    return Lifecycle(registry.books, rules_of(ctx))


def accounts(registry: Registry, ctx: click.Context) -> Operators:
    """The accounts of a registry."""
    from cardkit.registry.operators import Operators  # noqa: PLC0415

    return Operators(registry.books, rules_of(ctx).operators)


def sessions(registry: Registry, ctx: click.Context) -> Sessions:
    """The sessions of a registry."""
    from cardkit.registry.operators import Sessions  # noqa: PLC0415

    rules = rules_of(ctx).operators
    return Sessions(registry.books, accounts(registry, ctx), rules)


# --- who works -----------------------------------------------------------------------------------


def signed_in(registry: Registry, ctx: click.Context) -> Operator:
    """The person who works here; the time until they are signed off begins anew.

    Raises
    ------
    NotAllowedError
        Nobody is signed in, it was too long ago, or the account is locked.
    UsageError
        Several people are, and ``--operator`` does not say who works.
    """
    path = _token_file(registry, ctx.meta.get("cardkit.operator"))
    return sessions(registry, ctx).touch(path.read_text("utf-8"))


def window_person(registry: Registry, ctx: click.Context) -> Operator | None:
    """Who makes cards here: a signed-in window operator, once the registry has accounts."""
    return working(registry, ctx, "window")


def working(registry: Registry, ctx: click.Context, *roles: str) -> Operator | None:
    """Who changes something here: signed in, with one of some roles, once there are accounts.

    From then on the history names this person.

    Raises
    ------
    NotAllowedError
        Nobody is signed in, or somebody without such a role.
    """
    from cardkit.registry.operators import NotAllowedError, Role  # noqa: PLC0415

    if not accounts(registry, ctx).exist():
        return None
    operator = signed_in(registry, ctx)
    if not operator.has(*map(Role, roles)):
        names = "、".join(rules_of(ctx).zh("role", role) for role in roles)
        raise NotAllowedError(
            "role",
            f"this is done by somebody with the role {' or '.join(roles)}",
            hint="sign in as such a person: cardkit operator sign-in LOGIN",
            zh=f"须由{names}人员办理：请以该角色登录（cardkit operator sign-in）",
        )
    registry.books.journal.actor = operator.login
    return operator


def reader(registry: Registry, ctx: click.Context) -> Operator | None:
    """Who looks at personal data: somebody signed in, once the registry has accounts."""
    return signed_in(registry, ctx) if accounts(registry, ctx).exist() else None


def approval(
    registry: Registry,
    ctx: click.Context,
    action: str,
    subjects: int | Sequence[int],
    *,
    operator: Operator,
    number: int | None,
    second: str | None,
) -> int | None:
    """Number of the approval: the one given, or one that the second person gives here and now.

    Raises
    ------
    NotAllowedError
        The second person's password is wrong, it is the same person, or they may not approve this.
    """
    other = beside(registry, ctx, second)
    if other is None:
        return number
    approvals = lifecycle_of(registry, ctx).approvals
    granted = approvals.on_the_spot(action, subjects, operator=operator, second=other)
    ctx.call_on_close(lambda: _take_back(ctx, granted.number))
    return granted.number


def beside(registry: Registry, ctx: click.Context, second: str | None) -> Operator | None:
    """The second person who is here, by the password that is asked for now.

    Raises
    ------
    NotAllowedError
        The password is wrong or the account locked.
    """
    if second is None:
        return None
    people = lifecycle_of(registry, ctx).people
    return people.authenticate(second, password(f"Password 口令 of {second}"))


def _take_back(ctx: click.Context, number: int) -> None:
    """Void what was granted on the spot for an act that was refused: nobody uses it later."""
    with common.open_registry(ctx.params.get("registry"), only_look=True) as registry:
        if lifecycle_of(registry, ctx).approvals.get(number).state == "granted":
            lifecycle_of(registry, ctx).approvals.take_back(number)


def keep_token(registry: Registry, login: str, token: str) -> None:
    """Keep the token of a session for this user's next commands."""
    folder = places.make_private(_folder(registry))
    path = folder / login
    with suppress(FileNotFoundError):
        path.unlink()
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(token)


def take_token(registry: Registry, ctx: click.Context) -> str:
    """The token of the session that ends now; its file is gone."""
    path = _token_file(registry, ctx.meta.get("cardkit.operator"))
    token = path.read_text("utf-8")
    path.unlink()
    return token


def password(prompt: str, *, stdin: bool = False, confirm: bool = False) -> str:
    """A password from the terminal without echo, or a line of standard input.

    Raises
    ------
    UsageError
        There is neither.
    """
    if stdin or not sys.stdin.isatty():
        line = sys.stdin.readline(_LONGEST).rstrip("\r\n")
        if not line:
            raise UsageError(
                "a password is wanted and there is no terminal to ask at",
                hint="give it on standard input, a line each; never on the command line",
                zh="需要口令，但没有可供输入的终端：请从标准输入给出，每行一个，不要写在命令行上",
            )
        return line
    text: str = click.prompt(prompt, hide_input=True, err=True, confirmation_prompt=confirm)
    return text


def line(prompt: str) -> str:
    """Something personal, from the terminal or a line of standard input.

    Raises
    ------
    UsageError
        There is neither.
    """
    if sys.stdin.isatty():
        text: str = click.prompt(prompt, err=True)
        return text.strip()
    found = sys.stdin.readline(_LONGEST).strip()
    if not found:
        raise UsageError(f"{prompt} is wanted on standard input", hint="a line each")
    return found


def _folder(registry: Registry) -> Path:
    name = sha256(registry.books.store.name.encode()).hexdigest()[:16]
    return places.state_directory() / "sessions" / name


def _token_file(registry: Registry, login: str | None) -> Path:
    from cardkit.registry.operators import NotAllowedError  # noqa: PLC0415

    folder = _folder(registry)
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    if login is not None:
        found = [path for path in found if path.name == login]
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise UsageError(
            "several people are signed in here",
            hint=f"say who works with --operator: {names}",
            zh=f"本机有多人登录：请用 --operator 指明操作员（{names}）",
        )
    if not found:
        raise NotAllowedError(
            "signed-off",
            "nobody is signed in here" if login is None else "this person is not signed in here",
            hint="cardkit operator sign-in LOGIN; a registry without accounts: cardkit operator "
            "init LOGIN",
            zh="没有操作员登录：请先 cardkit operator sign-in 账号（尚无账号时先 cardkit operator "
            "init）",
        )
    return found[0]
