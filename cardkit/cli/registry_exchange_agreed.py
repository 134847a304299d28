"""``cardkit registry exchange``: what is agreed with whom, and what took place."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardkit.cli import common, desk
from cardkit.cli.output import Output, say, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardkit.registry.exchange.layout import Field, Layout
    from cardkit.registry.registry import Registry

LAYOUTS = click.option(
    "--layouts", "folders", type=common.DIRECTORY, multiple=True, envvar="CARDKIT_LAYOUTS",
    help="Directory with further layouts (TOML) 文件格式. Several: repeat it.",
)  # fmt: skip


def catalogue_of(folders: tuple[Path, ...]) -> Mapping[str, Layout]:
    """The shipped layouts and those of further directories."""
    from cardkit.registry.exchange import catalogue  # noqa: PLC0415

    return catalogue.load(folders)


@click.command()
@LAYOUTS
@desk.operator_option()
@common.lang_option(only_errors=True)
@common.json_option()
def layouts(folders: tuple[Path, ...], *, as_json: bool) -> None:
    """List the layouts 文件格式 that can be used."""
    found = catalogue_of(folders)
    out = Output(as_json=as_json)
    rows = [
        (one.name, one.title, str(one.version), one.direction, one.encoding, _shape(one))
        for one in found.values()
    ]
    names = ("name", "title", "version", "direction", "encoding", "shape")
    out.document([dict(zip(names, row, strict=True)) for row in rows])
    out.lines(table(rows, tuple(name.upper() for name in names)))


@click.command()
@click.argument("layout")
@LAYOUTS
@desk.operator_option()
@common.lang_option(only_errors=True)
@common.json_option()
def show(layout: str, folders: tuple[Path, ...], *, as_json: bool) -> None:
    """Show the fields and result codes of a LAYOUT 文件格式."""
    from cardkit.registry.exchange import catalogue  # noqa: PLC0415

    one = catalogue.get(catalogue_of(folders), layout)
    out = Output(as_json=as_json)
    parts = {"header": one.header, "fields": one.fields, "trailer": one.trailer}
    content: dict[str, object] = {
        part: [_field_document(one, f) for f in fields] for part, fields in parts.items()
    }
    results = {code: {"means": r.means, "text": r.text} for code, r in one.results.items()}
    elements = _elements(one)
    head = {"name": one.name, "title": one.title, "encoding": one.encoding, "xml": elements or None}
    out.document(head | {"results": results} | content)
    out.line(f"{one.name} {one.title}: {one.direction}, {one.encoding}, {_shape(one)}")
    out.lines(table([(part, f"<{path}>") for part, path in elements.items()]))
    for part, fields in parts.items():
        rows = [_field_row(one, f) for f in fields]
        out.lines(table(rows, (part.upper(), "名称", "KIND", "WIDTH", "")))
    out.lines(table([(r.code, r.means, r.text) for r in one.results.values()]))


@click.command()
@click.argument("name", required=False)
@click.option("--recipient", default="", metavar="AGE1...", help="Public key 公钥 of the partner.")
@click.option("--layout", "agreed", multiple=True, help="A layout agreed upon. Several: repeat it.")
@LAYOUTS
@desk.acting
def partner(
    ctx: click.Context, name: str | None, recipient: str, agreed: tuple[str, ...],
    folders: tuple[Path, ...], registry: str | None, *, as_json: bool,
) -> None:  # fmt: skip
    """Agree with a partner 交换单位 NAME what is exchanged; without NAME, or `list`, list them.

    What was agreed before is replaced. Only an administrator may.
    """
    from cardkit.registry.exchange import catalogue  # noqa: PLC0415
    from cardkit.registry.exchange.partners import Partners  # noqa: PLC0415

    out = Output(as_json=as_json)
    if name == "list" and not (recipient or agreed):
        name = None
    with common.open_registry(registry) as opened:
        partners = Partners(opened.books)
        if name is None:
            _known(opened, ctx)
        else:
            operator = desk.signed_in(opened, ctx)
            known = catalogue_of(folders)
            for layout in agreed:
                catalogue.get(known, layout)
            partners.agree(name, operator=operator, recipient=recipient, layouts=agreed)
        found = partners.all()
    out.document(
        [{"name": p.name, "recipient": p.recipient, "layouts": sorted(p.layouts)} for p in found]
    )
    rows = [(p.name, p.recipient or "-", " ".join(sorted(p.layouts))) for p in found]
    out.lines(table(rows, say(("单位", "公钥", "文件格式"), ("NAME", "RECIPIENT", "LAYOUTS"))))


@click.command()
@desk.acting
def status(ctx: click.Context, registry: str | None, *, as_json: bool) -> None:
    """List what was exchanged 交换批次, oldest first."""
    from cardkit.registry.exchange.exchange import Exchange  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        _known(opened, ctx)
        batches = Exchange(opened.books).batches()
    out.document([batch.as_json() for batch in batches])
    local = desk.rules_of(ctx).calendar.local
    rows = [
        (str(b.id), say({"in": "收", "out": "发"}[b.direction], b.direction), b.layout, b.partner,
         b.number, str(b.done), str(b.failed), b.operator, local(b.instant))
        for b in batches
    ]  # fmt: skip
    heads = say(
        ("批次", "", "文件格式", "单位", "批次号", "成功", "失败", "经办", "时间"),
        ("BATCH", "", "LAYOUT", "PARTNER", "NUMBER", "DONE", "FAILED", "BY", "WHEN"),
    )
    out.lines(table(rows, heads))


@click.command()
@click.argument("batch", type=click.IntRange(min=1))
@click.option("--file", "role", type=click.Choice(("failure", "success", "reply", "original")),
              default="failure", show_default=True, help="Which file of the batch.")  # fmt: skip
@LAYOUTS
@desk.acting
def look(
    ctx: click.Context, batch: int, role: str, folders: tuple[Path, ...], registry: str | None,
    *, as_json: bool,
) -> None:  # fmt: skip
    """Show on the screen what is kept of a BATCH 查看: the rows that failed, each with its reason.

    No file is written; that you looked is in the history.
    """
    from cardkit.registry.exchange.custody import Custody  # noqa: PLC0415
    from cardkit.registry.exchange.exchange import Exchange  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        operator = desk.signed_in(opened, ctx)
        room = Exchange(opened.books, layouts=catalogue_of(folders))
        lines = Custody(opened.books, room).look(batch, role, operator=operator)
    out.document({"batch": batch, "file": role, "lines": list(lines)})
    out.lines(lines)


def _known(opened: Registry, ctx: click.Context) -> None:
    """Who is named with --operator is signed in; these lists ask for nobody otherwise."""
    if ctx.meta.get("cardkit.operator"):
        desk.signed_in(opened, ctx)


def _shape(layout: Layout) -> str:
    ends = {b"\n": "LF", b"\r\n": "CRLF"}
    return f"{'XML' if layout.xml else layout.separator or 'columns'} {ends[layout.line_end]}"


def _elements(layout: Layout) -> dict[str, str]:
    """Where header, rows and trailer stand in XML."""
    if layout.xml is None:
        return {}
    found = {"header": layout.xml.header} if layout.header else {}
    found["rows"] = layout.xml.rows
    if layout.trailer:
        found["trailer"] = layout.xml.trailer
    return {part: "/".join(path) for part, path in found.items()}


def _field_document(layout: Layout, field: Field) -> dict[str, object]:
    """What a layout says of a field; the element is that which it has, said or not."""
    return dataclasses.asdict(field) | ({"tag": field.element} if layout.xml else {})


def _field_row(layout: Layout, field: Field) -> tuple[str, str, str, str, str]:
    from cardkit.registry.exchange.describing import kind, remarks  # noqa: PLC0415

    return (field.name, field.title, kind(field), str(field.width), remarks(layout, field))
