"""``cardkit key token``: the keys in a PKCS#11 token."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardkit.cli import common
from cardkit.cli.key_access import KeyAccess, access_options
from cardkit.cli.key_many import NAMES, note_strangers, one_by_one
from cardkit.cli.key_out import batch_options, factors_of
from cardkit.cli.key_roles import REASON, ROLE, TAKE, roles_of, show_clock, show_roles
from cardkit.cli.key_text import HEADINGS, one_line, row
from cardkit.cli.key_wish import wish_options
from cardkit.cli.output import Output, table
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.keys.custody import Wish
    from cardkit.keys.open_remote import Token
    from cardkit.keys.record import KeyRecord
    from cardkit.keys.token_custody import TokenCustody
    from cardkit.keys.token_settings import PinSource

_TOKEN = click.option(
    "--token", "settings", type=common.PATH, required=True, metavar="FILE",
    help="Settings of the token 密码设备: module, token, pin_file ...",
)  # fmt: skip
_PIN_FILE = click.option(
    "--pin-file", type=common.PATH, help="PIN of the token, first line of a file."
)
_PIN_FD = click.option(
    "--pin-fd", "descriptor", type=int, metavar="N", help="The same from an open descriptor."
)


def token_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--token``, ``--pin-file``, ``--pin-fd``."""
    decorated: Callable[..., Any] = _TOKEN(_PIN_FILE(_PIN_FD(command)))
    return decorated


def pin_of_token(file: Path | None, descriptor: int | None) -> PinSource | None:
    """Where the PIN comes from: a file, a descriptor, the terminal; None leaves it to a setting."""
    from cardkit.keys import token_settings  # noqa: PLC0415

    if file is not None:
        return token_settings.pin_from_file(file)
    if descriptor is not None:
        return token_settings.pin_from_descriptor(descriptor)
    return None


def pin_of_settings(path: Path) -> PinSource:
    """The PIN file that settings of a token name, or the terminal."""
    from cardkit.keys.token_settings import read_settings  # noqa: PLC0415

    return read_settings(path)[1] or prompted_pin()


def prompted_pin() -> PinSource:
    """The terminal, without echo; asked once.

    Raises
    ------
    UsageError
        When it is asked and there is no terminal.
    """
    from cardkit.keys.token_settings import pin_once_asked  # noqa: PLC0415

    def ask() -> str:
        if not sys.stdin.isatty():
            raise UsageError(
                "the PIN of the token is wanted and there is no terminal to ask at",
                hint="--pin-file, --pin-fd, or pin_file in its settings",
            )
        answer: str = click.prompt("PIN of the token 设备口令", hide_input=True, err=True)
        return answer

    return pin_once_asked(ask)


@click.group()
def token() -> None:
    """Master keys in a PKCS#11 token 密码设备: they are used there and never leave it."""


@contextmanager
def _opened(settings: Path, file: Path | None, descriptor: int | None) -> Iterator[Token]:
    from cardkit.keys.open_remote import Token  # noqa: PLC0415

    pin = pin_of_token(file, descriptor) or pin_of_settings(settings)
    opened = Token.open(settings, common.now, pin)
    with opened.store:
        yield opened


@contextmanager
def _custody(settings: Path, file: Path | None, descriptor: int | None) -> Iterator[TokenCustody]:
    from cardkit.keys.token_custody import TokenCustody  # noqa: PLC0415

    with _opened(settings, file, descriptor) as opened:
        yield TokenCustody(
            opened.store, opened.records, opened.audit, common.operator(),
            test=opened.settings.test,
        )  # fmt: skip


@token.command("list")
@token_options
@common.json_option()
def list_(settings: Path, pin_file: Path | None, descriptor: int | None, *, as_json: bool) -> None:
    """Keys in the token 列出, their records, and what the token vouches for."""
    with _custody(settings, pin_file, descriptor) as custody:
        keys = custody.keys()
    out = Output(as_json=as_json)
    out.document(
        [
            {
                "key": key,
                "record": record.to_json() if record else None,
                "sensitive": attributes.sensitive,
                "extractable": attributes.extractable,
                "always_sensitive": attributes.always_sensitive,
                "never_extractable": attributes.never_extractable,
            }
            for record, key, attributes in keys
        ]
    )
    rows = [
        (*row(record), attributes.origin) if record else (key, *[""] * 2, "no record", *[""] * 5)
        for record, key, attributes in keys
    ]
    out.lines(table([(*HEADINGS, "ORIGIN 来源"), *rows]))


@token.command()
@token_options
@ROLE
@TAKE
@common.json_option()
def roles(
    settings: Path, pin_file: Path | None, descriptor: int | None, given: tuple[str, ...],
    take: tuple[str, ...], *, as_json: bool,
) -> None:  # fmt: skip
    """Show who has which role 职责 for the keys of a token, give and take them.

    While nobody has one, whoever has the PIN gives the first ones, approve among them;
    afterwards that is for the role approve.
    """
    with _custody(settings, pin_file, descriptor) as custody:
        now = custody.roles()
        if given or take:
            custody.keys()  # the PIN is right
            now = custody.change_roles(roles_of(take), roles_of(given))
    show_roles(now, as_json=as_json)


@token.command("accept-clock")
@token_options
@REASON
def accept_clock(
    settings: Path, pin_file: Path | None, descriptor: int | None, reason: str
) -> None:
    """Say that the clock is right now, and was set forward before 认可时钟; role approve."""
    with _custody(settings, pin_file, descriptor) as custody:
        show_clock(custody.accept_clock(reason))


@token.command()
@token_options
@click.argument("name")
@wish_options
@common.json_option()
def generate(
    settings: Path, pin_file: Path | None, descriptor: int | None, name: str,
    wish: Callable[[str], Wish], *, as_json: bool,
) -> None:  # fmt: skip
    """Make a key inside the token 生成; a second person approves it."""
    with _custody(settings, pin_file, descriptor) as custody:
        record = custody.generate(wish(name))
    _tell(record, as_json=as_json)
    note_strangers([record])


@token.command()
@token_options
@access_options
@click.argument("names", nargs=-1, required=True)
@common.json_option()
def load(
    settings: Path, pin_file: Path | None, descriptor: int | None, names: tuple[str, ...],
    access: KeyAccess, *, as_json: bool,
) -> None:  # fmt: skip
    """Take active keys over 装载 from an encrypted store, after their ceremony there.

    Role import, in the store and for the token; on record in both. They stay in the store until
    somebody destroys them there.
    """
    from cardkit.keys.export import handing_over  # noqa: PLC0415

    out = Output(as_json=as_json)
    done = []
    with (
        access.custody() as store,
        _custody(settings, pin_file, descriptor) as custody,
    ):
        for name in names:
            with handing_over(store, name, f"token {custody.name}") as (record, key):
                done.append(custody.load(record, key))
    out.document([record.to_json() for record in done])
    out.lines(map(one_line, done))


@token.command()
@token_options
@batch_options
@common.json_option()
def derive(
    settings: Path, pin_file: Path | None, descriptor: int | None, names: tuple[str, ...],
    cards: Path, version: int | None, province: str | None, city: str | None, under: str,
    target: Path, *, as_json: bool,
) -> None:  # fmt: skip
    """Derive and wrap the card keys 分散 of a whole batch inside the token, for a card factory.

    docs/tokens.md describes the file. Role use; the keys need the usage derive, the transport key
    wrap. Card keys are in clear nowhere.
    """
    from cardkit.keys.token_wrapped import WrappedBatch  # noqa: PLC0415

    out = Output(as_json=as_json)
    factors = factors_of(cards, province, city)
    with _opened(settings, pin_file, descriptor) as opened:
        batch = WrappedBatch(opened, common.operator(), names, factors, under, version)
        digest = batch.write(target)
    keys = [str(record) for record in batch.records]
    out.document({"cards": factors.count, "keys": keys, "file": str(target), "sha256": digest})
    out.line(f"{factors.count} cards × {len(keys)} keys → {target}, under {batch.under}")
    out.line(f"sha256 {digest}: tell the factory by another road")


_VERSION = click.option(
    "--version", type=click.IntRange(1, 99), metavar="N", help="Default: the newest."
)


def _change(action: str, summary: str) -> None:
    """A command that changes the state of keys."""

    @token.command(action, help=summary)
    @token_options
    @NAMES
    @_VERSION
    @common.json_option()
    def change(
        settings: Path, pin_file: Path | None, descriptor: int | None, names: tuple[str, ...],
        version: int | None, *, as_json: bool,
    ) -> None:  # fmt: skip
        with _custody(settings, pin_file, descriptor) as custody:
            one_by_one(names, lambda name: custody.change(action, name, version), as_json=as_json)


for _action, _summary in (
    ("approve", "Make keys active 审批; somebody else has made them."),
    ("suspend", "Stop the use of keys for now 暂停."),
    ("resume", "Use suspended keys again 恢复."),
    ("retire", "Make no new cards with keys 停用."),
):
    _change(_action, _summary)


@token.command()
@token_options
@click.argument("name")
@_VERSION
@common.json_option()
def destroy(
    settings: Path, pin_file: Path | None, descriptor: int | None, name: str,
    version: int | None, *, as_json: bool,
) -> None:  # fmt: skip
    """Destroy a key in the token for ever 销毁."""
    with _custody(settings, pin_file, descriptor) as custody:
        _tell(custody.change("destroy", name, version), as_json=as_json)


def _tell(record: KeyRecord, *, as_json: bool) -> None:
    out = Output(as_json=as_json)
    out.document(record.to_json())
    out.line(one_line(record))
