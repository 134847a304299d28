"""``cardkit registry exchange``: files come in and go out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardkit.cli import common, desk, stock_place
from cardkit.cli.output import Output, say
from cardkit.cli.pins import warn_readable
from cardkit.cli.registry_exchange_agreed import LAYOUTS, catalogue_of
from cardkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from cardkit.registry.exchange.custody import Custody
    from cardkit.registry.exchange.exchange import Exchange, Receipt
    from cardkit.registry.operators import Operator
    from cardkit.registry.registry import Registry

COMPARISONS = {"police": "comparison-police", "agency": "comparison-agency"}

_FROM = click.option(
    "--from", "partner", required=True, metavar="PARTNER", help="Who sent it 交换单位."
)
_IDENTITY = click.option(
    "--identity", type=common.PATH, envvar="CARDKIT_AGE_IDENTITY",
    help="File with the age identity 私钥 that opens a sealed FILE.",
)  # fmt: skip
_LEAVING = (
    click.option(
        "--out", type=common.DIRECTORY, default=Path(), show_default="here",
        help="Directory for the files that come of it.",
    ),
    click.option(
        "--carrier", metavar="LOGIN",
        help="Who moves the files 传送人; they are named after that person. Default: you.",
    ),
    click.option(
        "--plain", is_flag=True,
        help="Leave in clear 明文, where the profile allows it ([exchange] plain_files).",
    ),
)  # fmt: skip


def _leaving(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that lets files leave."""
    options = (*_LEAVING, LAYOUTS, common.registry_option(), desk.operator_option(),
               desk.rules_option(), common.lang_option(only_errors=True))  # fmt: skip
    command = click.pass_context(common.json_option()(command))
    for option in reversed(options):
        command = option(command)
    return command


class _Counter:
    """Where files leave: the room, who works, who carries, and how."""

    def __init__(
        self, ctx: click.Context, opened: Registry, folders: tuple[Path, ...], out: Path,
        carrier: str | None, *, plain: bool,
    ) -> None:  # fmt: skip
        from cardkit.registry.exchange.custody import Custody  # noqa: PLC0415
        from cardkit.registry.exchange.exchange import Exchange  # noqa: PLC0415

        self.operator: Operator = desk.signed_in(opened, ctx)
        self.carrier = carrier or self.operator.login
        self.plain = plain
        life = desk.lifecycle_of(opened, ctx)
        self.room: Exchange = Exchange(
            opened.books, layouts=catalogue_of(folders), life=life, stock_place=stock_place.of(ctx)
        )
        allowed = plain and _plain_allowed(ctx)
        self.custody: Custody = Custody(opened.books, self.room, plain_allowed=allowed)
        self._out = out

    def check(self, partner: str) -> None:
        """Refuse before anything is done what could not leave afterwards."""
        self.custody.check(partner, carrier=self.carrier, operator=self.operator, plain=self.plain)

    def hand_over(self, receipt: Receipt, *roles: str) -> list[Path]:
        """Write those of the files that there are."""
        return [
            self.custody.hand_over(
                receipt.batch.id, kept.role, self._out,
                carrier=self.carrier, operator=self.operator, plain=self.plain,
            )
            for kept in receipt.files
            if kept.role in roles
        ]  # fmt: skip


@click.command("import")
@click.argument("file", type=common.PATH)
@click.option("--layout", required=True, help="Its layout 文件格式.")
@_FROM
@_IDENTITY
@stock_place.option("Code of the place where a factory's cards come into stock 入库地点.")
@_leaving
def import_(ctx: click.Context, file: Path, layout: str, **options: Any) -> None:  # noqa: ANN401
    """Take in a FILE 导入: checked as a whole, then applied and answered, all of it or nothing.

    The same file again changes nothing and gives the same answer. The answer, what was done and
    what was not are sealed to the sender and written to --out, named after --carrier. Exit code 1
    when some rows failed; `look` shows them.
    """
    _take(ctx, file, layout, **options)


@click.command()
@click.argument("file", type=common.PATH)
@click.option("--source", type=click.Choice(sorted(COMPARISONS)), required=True,
              help="Whose list it is; the police's data win.")  # fmt: skip
@_FROM
@_IDENTITY
@_leaving
def compare(ctx: click.Context, file: Path, source: str, **options: Any) -> None:  # noqa: ANN401
    """Compare the cards with a list 数据比对; differences become proposals of correction.

    Nothing in a record changes until `proposals accept`. The difference file is sealed like every
    file that leaves.
    """
    _take(ctx, file, COMPARISONS[source], **options)


@click.command()
@click.argument("layout", required=False)
@click.option("--to", "partner", metavar="PARTNER", help="Who gets it 交换单位.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many rows.")
@click.option("--again", type=click.IntRange(min=1), metavar="BATCH",
              help="Write the files of an earlier batch again 补写; nothing else is named then.",
)  # fmt: skip
@_leaving
def export(
    ctx: click.Context, layout: str | None, partner: str | None, limit: int | None,
    again: int | None, out: Path, carrier: str | None, folders: tuple[Path, ...],
    registry: str | None, *, plain: bool, as_json: bool,
) -> None:  # fmt: skip
    """Make a file of LAYOUT 导出 with what PARTNER was not sent yet, sealed to it."""
    whole = bool(layout and partner)
    if (again is not None) == whole or (again is not None and (layout or partner or limit)):
        raise UsageError(
            "name a LAYOUT and --to PARTNER, or --again BATCH",
            hint="`cardkit registry exchange status` lists the batches",
            zh="请指明文件格式和 --to 单位，或用 --again 指明已有批次",
        )
    with common.open_registry(registry) as opened:
        counter = _Counter(ctx, opened, folders, out, carrier, plain=plain)
        if again is not None:
            receipt = counter.room.again(again, operator=counter.operator)
            paths = counter.hand_over(receipt, *_leaving_roles(receipt))
        else:
            counter.check(str(partner))
            receipt = counter.room.send(
                str(layout), partner=str(partner), operator=counter.operator, limit=limit
            )
            paths = counter.hand_over(receipt, "original")
    _tell(ctx, counter, receipt, paths, as_json=as_json)


@click.command()
@click.argument("batch", type=click.IntRange(min=1))
@_leaving
def reissue(
    ctx: click.Context, batch: int, out: Path, carrier: str | None, folders: tuple[Path, ...],
    registry: str | None, *, plain: bool, as_json: bool,
) -> None:  # fmt: skip
    """Send the rows of a BATCH that were rejected again 重发, as a new batch."""
    with common.open_registry(registry) as opened:
        counter = _Counter(ctx, opened, folders, out, carrier, plain=plain)
        counter.check(counter.room.again(batch, operator=counter.operator).batch.partner)
        receipt = counter.room.reissue(batch, operator=counter.operator)
        paths = counter.hand_over(receipt, "original")
    _tell(ctx, counter, receipt, paths, as_json=as_json)


# --- what they share -----------------------------------------------------------------------------


def _take(
    ctx: click.Context, file: Path, layout: str, *, partner: str, identity: Path | None, out: Path,
    carrier: str | None, folders: tuple[Path, ...], registry: str | None, plain: bool,
    as_json: bool,
) -> None:  # fmt: skip
    data = _read(file, identity)
    with common.open_registry(registry) as opened:
        counter = _Counter(ctx, opened, folders, out, carrier, plain=plain)
        counter.check(partner)
        receipt = counter.room.receive(
            layout, data, partner=partner, operator=counter.operator,
            name=file.name.removesuffix(".age"),
        )  # fmt: skip
        paths = counter.hand_over(receipt, *_leaving_roles(receipt))
    _tell(ctx, counter, receipt, paths, as_json=as_json)


def _leaving_roles(receipt: Receipt) -> tuple[str, ...]:
    return ("original",) if receipt.batch.direction == "out" else ("success", "failure", "reply")


def _tell(
    ctx: click.Context, counter: _Counter, receipt: Receipt, paths: list[Path], *, as_json: bool
) -> None:
    from cardkit.registry.exchange.checking import problem_named  # noqa: PLC0415

    layouts = counter.room.layouts
    out = Output(as_json=as_json)
    batch = receipt.batch
    out.document(receipt.as_json() | {"written": [str(path) for path in paths]})
    known = say("；已收过，没有改动", ", known: nothing changed") if receipt.known else ""
    out.line(
        say(
            f"批次{batch.id}（{batch.layout} {batch.number}）：成功{batch.done}，"
            f"失败{batch.failed}",
            f"batch {batch.id} ({batch.layout} {batch.number}): {batch.done} done,"
            f" {batch.failed} failed",
        )
        + known
    )
    out.lines(str(path) for path in paths)
    for card, problem in receipt.left_out:
        if Output.language == "zh":
            out.note(f"第{card}号卡记录未列入：{problem_named(layouts[batch.layout], problem)}")
        else:
            out.note(f"card record {card} was left out: {problem}")
    if batch.failed:
        ctx.exit(ExitCode.PARTIAL)


def _plain_allowed(ctx: click.Context) -> bool:
    """Whether the profile lets files leave in clear; the shipped rules do not."""
    name: str = ctx.meta.get("cardkit.profile") or os.environ.get("CARDKIT_PROFILE") or ""
    return bool(name) and common.load_profile(name).exchange.plain_files


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
    if identity.is_file():
        warn_readable(identity, identity.stat().st_mode, "identity file")
    return sealing.open_sealed(data, identity)
