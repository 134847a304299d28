"""``cardkit key generate | import | approve | suspend | resume | retire | destroy``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardkit.cli import common
from cardkit.cli.key_access import KeyAccess, access_options
from cardkit.cli.key_many import NAMES, note_strangers, one_by_one
from cardkit.cli.key_store import check_value_of
from cardkit.cli.key_text import one_line
from cardkit.cli.key_wish import wish_options
from cardkit.cli.output import Output
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.keys.custody import Custody, Wish
    from cardkit.keys.record import KeyRecord

_VERSION = click.option(
    "--version", type=click.IntRange(1, 99), metavar="N",
    help="Version 版本. Default: the newest.",
)  # fmt: skip
_TEST_KEYS = b"format = "


def show(records: list[KeyRecord], *, as_json: bool) -> None:
    """Tell what became of keys."""
    out = Output(as_json=as_json)
    out.document([r.to_json() for r in records])
    out.lines(map(one_line, records))


@click.command()
@access_options
@NAMES
@wish_options
@common.json_option()
def generate(
    access: KeyAccess, names: tuple[str, ...], wish: Callable[[str], Wish], *, as_json: bool
) -> None:
    """Make random keys in the store 生成; nobody ever sees them. A second person approves them.

    The options hold for all of them. A name that no file of the card knows is allowed, and said.
    """
    with access.custody() as custody:
        made = one_by_one(names, lambda name: custody.generate(wish(name)), as_json=as_json)
    note_strangers(made)


@click.command("import")
@access_options
@click.argument("file", type=common.PATH)
@click.option("--name", help="Name of the key in a TR-31 block 密钥名称, which does not say it.")
@click.option("--check-value", metavar="HEX", help="Its check value 校验值, by another road.")
@click.option("--under", metavar="NAME", help="Transport key 传输密钥 of the store.")
@wish_options
@common.json_option()
def import_(
    access: KeyAccess, file: Path, name: str | None, check_value: str | None, under: str | None,
    wish: Callable[[str], Wish], *, as_json: bool,
) -> None:  # fmt: skip
    """Bring keys in from a FILE 导入: TR-31 key block, envelope, or (test stores) test keys.

    Check values are compared; a second person approves the keys.
    """
    content = _content(file)
    with access.custody() as custody:
        if _is_test_file(content):
            records = _import_test(custody, file)
        elif under is None:
            raise UsageError("under which transport key?", hint="--under NAME")
        elif content.lstrip().startswith(b"{"):
            from cardkit.keys.export import import_envelope  # noqa: PLC0415

            kek = custody.record(under)
            records = [import_envelope(custody, content.decode("ascii", "replace"), kek)]
        else:
            records = [_import_block(custody, content, name, check_value, under, wish)]
    show(records, as_json=as_json)


def _import_block(
    custody: Custody, content: bytes, name: str | None, check_value: str | None, under: str,
    wish: Callable[[str], Wish],
) -> KeyRecord:  # fmt: skip
    from cardkit.keys.export import import_tr31  # noqa: PLC0415

    if name is None or check_value is None:
        raise UsageError(
            "a TR-31 block does not say its name and check value",
            hint="give --name and --check-value",
        )
    expected = check_value_of(check_value)
    text = content.decode("ascii", "replace")
    return import_tr31(custody, text, wish(name), expected, custody.record(under))


def _is_test_file(content: bytes) -> bool:
    lines = [line for line in content.splitlines() if line and not line.startswith(b"#")]
    return bool(lines) and lines[0].startswith(_TEST_KEYS)


def _import_test(custody: Custody, file: Path) -> list[KeyRecord]:
    from cardkit.keys.custody import Wish  # noqa: PLC0415
    from cardkit.keys.secret import Secret  # noqa: PLC0415
    from cardkit.keys.soft import read_test_keys  # noqa: PLC0415

    if not custody.file.test:
        raise UsageError(
            f"{file} has test keys, the store is for real ones", hint="`key init --test` makes one"
        )
    keys, values = {}, {}
    for (name, version), key in read_test_keys(file).items():
        wish = Wish(name, version, key.algorithm)
        keys[wish], values[wish] = Secret(key.value), key.check_value
    return custody.import_keys(keys, values, file.name)


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(1 << 20)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None


def _change(
    action: str, access: KeyAccess, names: tuple[str, ...], version: int | None, *, as_json: bool
) -> None:
    with access.custody() as custody:
        one_by_one(names, lambda name: custody.change(action, name, version), as_json=as_json)


@click.command()
@access_options
@NAMES
@_VERSION
@common.json_option()
def approve(
    access: KeyAccess, names: tuple[str, ...], version: int | None, *, as_json: bool
) -> None:
    """Make keys active 审批.

    Who made a key cannot approve it: compare the check value with the one on paper first.
    """
    _change("approve", access, names, version, as_json=as_json)


@click.command()
@access_options
@NAMES
@_VERSION
@common.json_option()
def suspend(
    access: KeyAccess, names: tuple[str, ...], version: int | None, *, as_json: bool
) -> None:
    """Stop the use of keys for now 暂停."""
    _change("suspend", access, names, version, as_json=as_json)


@click.command()
@access_options
@NAMES
@_VERSION
@common.json_option()
def resume(
    access: KeyAccess, names: tuple[str, ...], version: int | None, *, as_json: bool
) -> None:
    """Use suspended keys again 恢复."""
    _change("resume", access, names, version, as_json=as_json)


@click.command()
@access_options
@NAMES
@_VERSION
@common.json_option()
def retire(
    access: KeyAccess, names: tuple[str, ...], version: int | None, *, as_json: bool
) -> None:
    """Make no new cards with keys 停用; the cards that have them can still be worked on."""
    _change("retire", access, names, version, as_json=as_json)


@click.command()
@access_options
@click.argument("name")
@click.option(
    "--version", type=click.IntRange(1, 99), required=True, metavar="N", help="Version 版本."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@common.json_option()
def destroy(access: KeyAccess, name: str, version: int, *, yes: bool, as_json: bool) -> None:
    """Overwrite a key for ever 销毁; its record stays. Retire or suspend it first.

    The place of the old file on the disk is overwritten too; backups have to be destroyed by hand.
    """
    if not yes and sys.stdin.isatty():
        click.confirm(f"Destroy {name} v{version} for ever?", abort=True, err=True)
    with access.custody() as custody:
        record = custody.change("destroy", name, version)
    show([record], as_json=as_json)
