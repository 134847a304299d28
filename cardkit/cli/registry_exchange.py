"""``cardkit registry exchange``: files from and for banks, agencies, factories and terminals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardkit.cli import common, desk
from cardkit.cli.output import Output, table
from cardkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardkit.registry.exchange.exchange import Exchange, Receipt
    from cardkit.registry.exchange.layout import Field, Layout
    from cardkit.registry.operators import Operator
    from cardkit.registry.registry import Registry

COMPARISONS = {"police": "comparison-police", "agency": "comparison-agency"}

_LAYOUTS = click.option(
    "--layouts", "folders", type=common.DIRECTORY, multiple=True, envvar="CARDKIT_LAYOUTS",
    help="Directory with further layouts (TOML) 文件格式. Several: repeat it.",
)  # fmt: skip
_FROM = click.option(
    "--from", "partner", required=True, metavar="PARTNER", help="Who sent it 交换单位."
)
_IDENTITY = click.option(
    "--identity", type=common.PATH, envvar="CARDKIT_AGE_IDENTITY",
    help="File with the age identity 私钥 that opens a sealed FILE.",
)  # fmt: skip
_OUT = click.option(
    "--out", type=common.DIRECTORY, default=Path(), show_default="here",
    help="Directory for the files that come of it.",
)  # fmt: skip
_CARRIER = click.option(
    "--carrier", metavar="LOGIN", help="Who moves the file 传送人; it is named after that person."
)


@click.group()
def exchange() -> None:
    """Files exchanged with banks, agencies, factories and terminals 交换文件."""


@exchange.command()
@_LAYOUTS
@common.json_option()
def layouts(folders: tuple[Path, ...], *, as_json: bool) -> None:
    """List the layouts 文件格式 that can be used."""
    found = _catalogue(folders)
    out = Output(as_json=as_json)
    rows = [
        (one.name, one.title, str(one.version), one.direction, one.encoding, _shape(one))
        for one in found.values()
    ]
    names = ("name", "title", "version", "direction", "encoding", "shape")
    out.document([dict(zip(names, row, strict=True)) for row in rows])
    out.lines(table(rows, tuple(name.upper() for name in names)))


@exchange.command()
@click.argument("layout")
@_LAYOUTS
@common.json_option()
def show(layout: str, folders: tuple[Path, ...], *, as_json: bool) -> None:
    """Show the fields and result codes of a LAYOUT 文件格式."""
    from cardkit.registry.exchange import catalogue  # noqa: PLC0415

    one = catalogue.get(_catalogue(folders), layout)
    out = Output(as_json=as_json)
    parts = {"header": one.header, "fields": one.fields, "trailer": one.trailer}
    content: dict[str, object] = {
        part: [{"name": f.name, "title": f.title, "kind": f.kind, "width": f.width,
                "required": f.required, "key": f.key} for f in fields]
        for part, fields in parts.items()
    }  # fmt: skip
    results = {code: {"means": r.means, "text": r.text} for code, r in one.results.items()}
    out.document({"name": one.name, "title": one.title, "results": results} | content)
    out.line(f"{one.name} {one.title}: {one.direction}, {one.encoding}, {_shape(one)}")
    for part, fields in parts.items():
        out.lines(
            table([_field_row(f) for f in fields], (part.upper(), "名称", "KIND", "WIDTH", ""))
        )
    out.lines(table([(r.code, r.means, r.text) for r in one.results.values()]))


@exchange.command()
@click.argument("name", required=False)
@click.option("--recipient", default="", metavar="AGE1...", help="Public key 公钥 of the partner.")
@click.option("--layout", "agreed", multiple=True, help="A layout agreed upon. Several: repeat it.")
@_LAYOUTS
@common.registry_option()
@desk.operator_option()
@common.json_option()
@click.pass_context
def partner(
    ctx: click.Context, name: str | None, recipient: str, agreed: tuple[str, ...],
    folders: tuple[Path, ...], registry: str | None, *, as_json: bool,
) -> None:  # fmt: skip
    """Agree with a partner 交换单位 NAME what is exchanged; without NAME, list them.

    What was agreed before is replaced. Only an administrator may.
    """
    from cardkit.registry.exchange import catalogue  # noqa: PLC0415
    from cardkit.registry.exchange.errors import ExchangeRefusedError  # noqa: PLC0415
    from cardkit.registry.exchange.partners import Partners  # noqa: PLC0415
    from cardkit.registry.operators import Role  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        partners = Partners(opened.books)
        if name is not None:
            operator = desk.signed_in(opened, ctx)
            if not operator.has(Role.ADMINISTRATOR):
                raise ExchangeRefusedError(
                    "only an administrator agrees with partners",
                    hint="sign in as one: cardkit operator sign-in LOGIN",
                    zh="交换单位只能由系统管理员设定",
                )
            known = _catalogue(folders)
            for layout in agreed:
                catalogue.get(known, layout)
            Partners(opened.books.by(operator.login)).set(name, recipient=recipient, layouts=agreed)
        found = partners.all()
    out.document(
        [{"name": p.name, "recipient": p.recipient, "layouts": sorted(p.layouts)} for p in found]
    )
    rows = [(p.name, p.recipient or "-", " ".join(sorted(p.layouts))) for p in found]
    out.lines(table(rows, ("NAME", "RECIPIENT", "LAYOUTS")))


@exchange.command("import")
@click.argument("file", type=common.PATH)
@click.option("--layout", required=True, help="Its layout 文件格式.")
@_FROM
@_IDENTITY
@_OUT
@_CARRIER
@_LAYOUTS
@common.registry_option()
@desk.operator_option()
@desk.rules_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def import_(
    ctx: click.Context, file: Path, layout: str, partner: str, identity: Path | None, out: Path,
    carrier: str | None, folders: tuple[Path, ...], registry: str | None, *, as_json: bool,
) -> None:  # fmt: skip
    """Take in a FILE 导入: checked as a whole, then applied and answered, all of it or nothing.

    The same file again changes nothing and gives the same answer. What was done and what was not
    are written to --out; the answer to the sender as well, sealed and named after --carrier (you,
    when left out). Exit code 1 when some rows failed.
    """
    _take(ctx, file, layout, partner, identity, out, carrier, folders, registry, as_json=as_json)


@exchange.command()
@click.argument("file", type=common.PATH)
@click.option("--source", type=click.Choice(sorted(COMPARISONS)), required=True,
              help="Whose list it is; the police's data win.")  # fmt: skip
@_FROM
@_IDENTITY
@_OUT
@_CARRIER
@_LAYOUTS
@common.registry_option()
@desk.operator_option()
@desk.rules_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def compare(
    ctx: click.Context, file: Path, source: str, partner: str, identity: Path | None, out: Path,
    carrier: str | None, folders: tuple[Path, ...], registry: str | None, *, as_json: bool,
) -> None:  # fmt: skip
    """Compare the cards with a list 数据比对; differences become proposals of correction.

    Nothing in a record changes. The difference file is sealed like every file that leaves.
    """
    layout = COMPARISONS[source]
    _take(ctx, file, layout, partner, identity, out, carrier, folders, registry, as_json=as_json)


@exchange.command()
@click.argument("layout")
@click.option("--to", "partner", required=True, metavar="PARTNER", help="Who gets it 交换单位.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many rows.")
@_OUT
@_CARRIER
@_LAYOUTS
@common.registry_option()
@desk.operator_option()
@desk.rules_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def export(
    ctx: click.Context, layout: str, partner: str, limit: int | None, out: Path,
    carrier: str | None, folders: tuple[Path, ...], registry: str | None, *, as_json: bool,
) -> None:  # fmt: skip
    """Make a file of LAYOUT 导出 with what PARTNER was not sent yet, sealed to it."""
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        room = _exchange(opened, ctx, folders)
        receipt = room.send(layout, partner=partner, operator=operator, limit=limit)
        _hand_over(ctx, opened, room, receipt, operator, carrier, out, as_json=as_json)


@exchange.command()
@click.argument("batch", type=click.IntRange(min=1))
@_OUT
@_CARRIER
@_LAYOUTS
@common.registry_option()
@desk.operator_option()
@desk.rules_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def reissue(
    ctx: click.Context, batch: int, out: Path, carrier: str | None, folders: tuple[Path, ...],
    registry: str | None, *, as_json: bool,
) -> None:  # fmt: skip
    """Send the rows of a BATCH that were rejected again 重发, as a new batch."""
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        room = _exchange(opened, ctx, folders)
        receipt = room.reissue(batch, operator=operator)
        _hand_over(ctx, opened, room, receipt, operator, carrier, out, as_json=as_json)


@exchange.command()
@common.registry_option()
@common.json_option()
def status(registry: str | None, *, as_json: bool) -> None:
    """List what was exchanged 交换批次, oldest first."""
    from cardkit.registry.exchange.exchange import Exchange  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry, must_exist=True) as opened:
        batches = Exchange(opened.books).batches()
    out.document([batch.as_json() for batch in batches])
    rows = [
        (str(b.id), b.direction, b.layout, b.partner, b.number, str(b.done), str(b.failed),
         b.operator, b.instant)
        for b in batches
    ]  # fmt: skip
    heads = ("BATCH", "", "LAYOUT", "PARTNER", "NUMBER", "DONE", "FAILED", "BY", "WHEN")
    out.lines(table(rows, heads))


# --- what they share -----------------------------------------------------------------------------


def _take(
    ctx: click.Context, file: Path, layout: str, partner: str, identity: Path | None, out: Path,
    carrier: str | None, folders: tuple[Path, ...], registry: str | None, *, as_json: bool,
) -> None:  # fmt: skip
    from cardkit.registry.exchange.custody import Custody  # noqa: PLC0415
    from cardkit.registry.exchange.keeping import FAILURE, REPLY, SUCCESS  # noqa: PLC0415

    data = _read(file, identity)
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        room = _exchange(opened, ctx, folders)
        name = file.name.removesuffix(".age")
        receipt = room.receive(layout, data, partner=partner, operator=operator, name=name)
        custody = Custody(opened.books, room)
        paths = [
            custody.keep_here(receipt.batch.id, kept.role, out, operator=operator)
            for kept in receipt.files
            if kept.role in (SUCCESS, FAILURE)
        ]
        if any(kept.role == REPLY for kept in receipt.files):
            who = carrier or operator.login
            paths.append(
                custody.hand_over(receipt.batch.id, REPLY, out, carrier=who, operator=operator)
            )
    _tell(ctx, receipt, paths, as_json=as_json)


def _hand_over(
    ctx: click.Context, opened: Registry, room: Exchange, receipt: Receipt, operator: Operator,
    carrier: str | None, out: Path, *, as_json: bool,
) -> None:  # fmt: skip
    from cardkit.registry.exchange.custody import Custody  # noqa: PLC0415
    from cardkit.registry.exchange.keeping import ORIGINAL  # noqa: PLC0415

    path = Custody(opened.books, room).hand_over(
        receipt.batch.id, ORIGINAL, out, carrier=carrier or operator.login, operator=operator
    )
    _tell(ctx, receipt, [path], as_json=as_json)


def _tell(ctx: click.Context, receipt: Receipt, paths: list[Path], *, as_json: bool) -> None:
    out = Output(as_json=as_json)
    batch = receipt.batch
    out.document(receipt.as_json() | {"written": [str(path) for path in paths]})
    known = ", taken before: nothing changed" if receipt.known else ""
    out.line(
        f"batch {batch.id} ({batch.layout} {batch.number}): {batch.done} done,"
        f" {batch.failed} failed{known}"
    )
    out.lines(str(path) for path in paths)
    for card, problem in receipt.left_out:
        out.note(f"card record {card} was left out: {problem}")
    if batch.failed:
        ctx.exit(ExitCode.PARTIAL)


def _exchange(opened: Registry, ctx: click.Context, folders: tuple[Path, ...]) -> Exchange:
    from cardkit.registry.exchange.exchange import Exchange  # noqa: PLC0415

    life = desk.lifecycle_of(opened, ctx)
    return Exchange(opened.books, layouts=_catalogue(folders), life=life)


def _catalogue(folders: tuple[Path, ...]) -> Mapping[str, Layout]:
    from cardkit.registry.exchange import catalogue  # noqa: PLC0415

    return catalogue.load(folders)


def _read(file: Path, identity: Path | None) -> bytes:
    from cardkit.registry.exchange import sealing  # noqa: PLC0415

    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read: {error.strerror}",
            hint="name the file as it came",
            zh=f"不能读取 {file}：请核对文件名和权限",
        ) from None
    if not sealing.is_sealed(data):
        return data
    if identity is None:
        raise UsageError(
            f"{file.name} is sealed",
            hint="name the file with your age identity: --identity",
            zh=f"{file.name} 是加密文件：请用 --identity 指明私钥文件",
        )
    return sealing.open_sealed(data, identity)


def _shape(layout: Layout) -> str:
    ends = {b"\n": "LF", b"\r\n": "CRLF"}
    return f"{layout.separator or 'columns'} {ends[layout.line_end]}"


def _field_row(field: Field) -> tuple[str, str, str, str, str]:
    marks = [word for word, on in (("required", field.required), ("key", field.key)) if on]
    return (field.name, field.title, field.kind, str(field.width), " ".join(marks))
