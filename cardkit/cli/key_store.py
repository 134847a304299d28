"""``cardkit key init | list | check | roles | passphrase | accept``: the store itself."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from cardkit.cli import common
from cardkit.cli.key_access import KeyAccess, access_options, store_options
from cardkit.cli.key_roles import REASON, ROLE, TAKE, roles_of, show_clock, show_roles
from cardkit.cli.key_text import HEADINGS, row
from cardkit.cli.output import Output, table
from cardkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from cardkit.keys.record import KeyRecord
    from cardkit.keys.reference import CheckValue
    from cardkit.keys.secret import Secret
    from cardkit.keys.soft_content import Content

_NEW_CUSTODIANS = click.option(
    "--new-custodian", "new", multiple=True, required=True, metavar="NAME",
    help="A custodian 保管人 of the store; two at least, any two of them open it.",
)  # fmt: skip


@click.command()
@store_options
@_NEW_CUSTODIANS
@click.option(
    "--passphrase-file", "files", type=common.PATH, multiple=True, metavar="FILE",
    help="Take a passphrase 口令 from the first line of this file; one a custodian.",
)  # fmt: skip
@ROLE
@click.option("--test", is_flag=True, help="The store is for test keys 测试密钥.")
@common.json_option()
def init(
    access: KeyAccess, new: tuple[str, ...], files: tuple[Path, ...], given: tuple[str, ...],
    *, test: bool, as_json: bool,
) -> None:  # fmt: skip
    """Make a new encrypted store 建库.

    Roles: generate, import, approve and use are different people. CARDKIT_OPERATOR, or the login
    name, says who somebody is.
    """
    from cardkit.keys.soft_file import KeyFile  # noqa: PLC0415

    out = Output(as_json=as_json)
    roles = roles_of(given)
    source = dataclasses.replace(access, passphrase_files=files).passphrases
    passphrases = {name: source.ask_new(name) for name in dict.fromkeys(new)}
    path = access.path()
    file = KeyFile.create(
        path, passphrases, access.audit(), common.operator(), test=test, roles=roles
    )
    file.close()
    out.document({"store": str(path), "test": test, "custodians": list(passphrases)})
    out.line(f"key store {path}: custodians 保管人 {', '.join(passphrases)}")
    out.line("any two of them open it 任意两人可打开" + (", for TEST keys only" if test else ""))


@click.command("list")
@access_options
@common.json_option()
def list_(access: KeyAccess, *, as_json: bool) -> None:
    """List the keys with version, state and check value 列出; no key is shown."""
    out = Output(as_json=as_json)
    with access.file() as file:
        records = [r for _, r in sorted(file.content.records.items())]
        ceremonies = list(file.content.ceremonies.values())
    out.document([r.to_json() for r in records])
    out.lines(table([row(r) for r in records], HEADINGS))
    out.note(f"{len(records)} keys 密钥")
    for c in ceremonies:
        missing = ", ".join(c.missing) or "nobody: it can be finished"
        out.note(f"ceremony 仪式 for {c.record.name}: waits for {missing}")


@click.command()
@access_options
@click.argument("name", required=False)
@click.option("--version", type=click.IntRange(1, 99), metavar="N", help="Version 版本.")
@click.option("--check-value", metavar="HEX", help="Compare with this one, from elsewhere 校验值.")
@common.json_option()
@click.pass_context
def check(
    ctx: click.Context, access: KeyAccess, name: str | None, version: int | None,
    check_value: str | None, *, as_json: bool,
) -> None:  # fmt: skip
    """Compute the check values again 核对, of all keys, or compare one with a given value.

    Opening the store computes and compares every check value; a key that does not fit stops that.
    Exit code 4 when a value does not fit.
    """
    from cardkit.keys.custody import compare, find  # noqa: PLC0415

    out = Output(as_json=as_json)
    if check_value and not name:
        raise UsageError("a check value of which key?", hint="name it")
    with access.file() as file:
        records = file.content.records
        held = [records[p] for p in sorted(file.content.keys)]
        if name:
            held = [find(records, name, version)]
        if check_value:
            compare(held[0], check_value_of(check_value), _key(file.content, held[0]))
    out.document([{"key": r.name, "version": r.version, "ok": True} for r in held])
    out.lines(f"ok  {r}" for r in held)
    ctx.exit(ExitCode.DONE)


def _key(content: Content, record: KeyRecord) -> Secret:
    try:
        return content.keys[record.place]
    except KeyError:
        raise UsageError(
            f"{record} is destroyed", hint="there is no key any more to compare"
        ) from None


def check_value_of(text: str) -> CheckValue:
    """A check value as people write it.

    Raises
    ------
    UsageError
    """
    from cardkit.keys.reference import CheckValue  # noqa: PLC0415

    try:
        value = CheckValue.fromhex(text)
    except ValueError:
        value = CheckValue()
    if not 3 <= len(value) <= 8:
        raise UsageError(f"{text!r} is no check value", hint="6 to 16 hexadecimal digits")
    return value


@click.command()
@access_options
@ROLE
@TAKE
@common.json_option()
def roles(
    access: KeyAccess, given: tuple[str, ...], take: tuple[str, ...], *, as_json: bool
) -> None:
    """Show who has which role 职责, give and take them; two custodians decide, not an agent."""
    with access.custody(in_person=bool(given or take)) as custody:
        for words, give in ((take, False), (given, True)):
            for role, people in roles_of(words).items():
                for person in people:
                    custody.assign(role, person, give=give)
        now = custody.file.content.roles
    show_roles(now, as_json=as_json)


@click.command("accept-clock")
@access_options
@REASON
def accept_clock(access: KeyAccess, reason: str) -> None:
    """Say that the clock is right now, and was wrongly set forward before 认可时钟; role approve.

    Keys are not used while the clock stands behind the latest entry of the log. This puts on record
    that the later time was wrong; from then on only later entries count.
    """
    with access.custody() as custody:
        show_clock(custody.accept_clock(reason))


@click.command()
@access_options
@_NEW_CUSTODIANS
@click.option(
    "--new-passphrase-file", "files", type=common.PATH, multiple=True, metavar="FILE",
    help="Take a new passphrase 新口令 from the first line of this file; one a custodian.",
)  # fmt: skip
def passphrase(access: KeyAccess, new: tuple[str, ...], files: tuple[Path, ...]) -> None:
    """Give the store new custodians or passphrases 更换口令; old passphrases open it no more.

    Copies of the old file, backups among them, still open with the old ones: destroy them. An
    agent that runs has to be started anew, and does not stand in for the custodians here.
    """
    from cardkit.cli.key_access import PassphraseSource  # noqa: PLC0415

    with access.file(in_person=True) as file:
        source = PassphraseSource(files)
        passphrases = {name: source.ask_new(name) for name in dict.fromkeys(new)}
        file.change_passphrases(passphrases, common.operator())
    click.echo(f"custodians 保管人: {', '.join(passphrases)}")


@click.command()
@access_options
@click.option("--yes", is_flag=True, help="Do not ask.")
def accept(access: KeyAccess, *, yes: bool) -> None:
    """Take an older state of the store, restored from a backup, as the newest 接受旧库.

    What was done since then is lost. Two custodians decide, not an agent; it is on record.
    """
    with access.file(accept_older=True, in_person=True) as file:
        if not yes:
            question = f"Take generation {file.header.generation} as the newest?"
            click.confirm(question, abort=True, err=True)
        file.accept(common.operator())
        click.echo(f"{file.path.name} is at generation {file.header.generation}")
