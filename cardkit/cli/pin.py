"""``cardkit pin``: the holder's PIN."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cardkit.apdu.link import LinkLostError
from cardkit.cli import common
from cardkit.cli.lifecycle_pin import pin_reset, pin_unlock
from cardkit.cli.output import Output
from cardkit.cli.pins import PinSource, pin_options
from cardkit.cli.session import Session, Target, card_session, target_options
from cardkit.errors import UnreachableError, UsageError

if TYPE_CHECKING:
    from cardkit.card.files.model import DirectoryFile

F = TypeVar("F", bound=Callable[..., Any])


@click.group()
def pin() -> None:
    """Verify or change the PIN 密码 of a card; unlock or reset it for its holder at the window.

    A wrong PIN spends one of the tries left 剩余次数, which are shown; it is never repeated by
    itself. At 0 the PIN is locked. Exit code 4 when the card refuses.
    """


def directory_option(command: F) -> F:
    """``--directory`` (parameter ``directory``): where the PIN is presented."""
    return click.option(
        "--directory",
        metavar="DF",
        default="SSSE",
        show_default=True,
        help="Directory file 应用 in which the PIN is presented: SSSE, DF01 ...",
    )(command)


@pin.command()
@directory_option
@target_options
@pin_options
@common.lang_option(only_errors=True)
@common.json_option()
def verify(
    directory: str, target: Target, pin_file: Path | None, *, pin_stdin: bool, as_json: bool
) -> None:
    """Check the PIN 校验密码.

    It is asked for without echo, or comes from --pin-file or --pin-stdin.
    """
    with _session(target, directory) as (session, where):
        code = PinSource(file=pin_file, stdin=pin_stdin).read("PIN 密码")
        session.run(session.card.verify_pin(where, code))
    out = Output(as_json=as_json)
    out.document({"directory": where.label, "verified": True})
    out.line(f"{where.label}: the PIN is right 密码正确")


@pin.command()
@directory_option
@target_options
@pin_options
@common.lang_option(only_errors=True)
@common.json_option()
def change(
    directory: str, target: Target, pin_file: Path | None, *, pin_stdin: bool, as_json: bool
) -> None:
    """Change the PIN 修改密码: the old one, then the new one of 4 to 16 digits.

    Both are asked for without echo, or come from two lines of --pin-file or --pin-stdin.
    """
    source = PinSource(file=pin_file, stdin=pin_stdin)
    with _session(target, directory) as (session, where):
        old, new = _old_and_new(source)
        session.run(session.card.change_pin(where, old, new))
    out = Output(as_json=as_json)
    out.document({"directory": where.label, "changed": True})
    out.line(f"{where.label}: the PIN is changed 密码已修改")


pin.add_command(pin_unlock)
pin.add_command(pin_reset)


@contextmanager
def _session(target: Target, label: str) -> Iterator[tuple[Session, DirectoryFile]]:
    """The card and the directory; both are there before anybody is asked for a PIN."""
    with _interrupted_in_chinese(), card_session(target, opens=True) as session:
        labels = [d.label for d in session.card.tree.directories if d.files]
        if label.upper() not in labels:
            raise UsageError(
                f"no directory {label}",
                hint=f"one of {', '.join(labels)}",
                zh=f"没有应用 {label}：可选 {'、'.join(labels)}",
            )
        where = session.card.tree.directory(label.upper())
        session.run(session.card.select(where))
        yield session, where


@contextmanager
def _interrupted_in_chinese() -> Iterator[None]:
    """Here nothing goes on by itself, as it does in ``issue``."""
    try:
        yield
    except LinkLostError as error:
        error.zh = "与卡片的联系中断：请把卡放好，再运行一次"
        raise
    except UnreachableError as error:
        error.zh = error.zh.replace("，恢复后会继续", "，再运行一次")
        raise


def _old_and_new(source: PinSource) -> tuple[str, str]:
    if source.wanted:
        old, new = source.read_several("", "")
        return old, new
    old, new, again = source.read_several("old PIN 原密码", "new PIN 新密码", "again 再输一次")
    if new != again:
        raise UsageError(
            "the new PIN was typed in two ways",
            hint="nothing was changed; try again",
            zh="两次输入的新密码不一致：密码未修改，请重试",
        )
    return old, new
