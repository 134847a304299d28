"""``cardkit forms``: receipts and forms, printed once, checked by their code, printed again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardkit.cli import common, desk
from cardkit.cli.output import Output, say, table
from cardkit.cli.registry_cards import find
from cardkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from cardkit.registry.forms import Document, Kind, NumberedForm
    from cardkit.registry.forms.gathering import Gathered
    from cardkit.registry.operators import Operator
    from cardkit.registry.registry import Registry

KINDS = (
    "acceptance",
    "business",
    "loss",
    "replacement",
    "receipt",
    "hand-out",
    "statement",
    "count",
    "archive",
)
REASONS = ("lost", "damaged", "printer", "holder", "archive")
VOID_REASONS = ("spoilt", "mistake", "not-printed", "cancelled")
FINDINGS = {
    "genuine": "genuine 真实：本登记库出具，记录未被改动",
    "void": "VOID 已作废：本登记库出具，但已作废",
    "unknown": "unknown 查无此码：本登记库没有出具过带此验真码的单据",
    "altered": "ALTERED 记录被改动：编号相符，但内容或历史与出具时不一致",
}
DAY = click.DateTime(["%Y-%m-%d"])
OUT = click.option("--out", type=common.PATH, required=True, help="The PDF file to write.")
FORM = click.option(
    "--form-number", metavar="NUMBER", help="Number of the numbered form 票据号码 in the printer."
)
AT = click.option(
    "--at", metavar="PLACE", help="Place whose stock has that form. Default: where you work."
)
FONTS = click.option(
    "--fonts",
    "folders",
    type=common.DIRECTORY,
    multiple=True,
    envvar="CARDKIT_FONTS",
    help="Folder with the Noto CJK fonts 字体, where they are not in their usual place.",
)


@click.group()
def forms() -> None:
    """Receipts and forms 回执与表单, as PDF files with a code by which a copy can be checked.

    A paper is printed once; another copy of it says that it is a reprint 补打, which time, when, by
    whom and why. Who works is signed in (cardkit operator sign-in).
    """


@forms.command()
@common.json_option()
def templates(*, as_json: bool) -> None:
    """Show the papers there are 单据种类, and what each is about."""
    from cardkit.registry.forms import PAPERS  # noqa: PLC0415

    out = Output(as_json=as_json)
    out.document(
        [
            {
                "kind": kind.value,
                "title": paper.title,
                "english": paper.english,
                "about": _ABOUT[kind.value],
                "copies": len(paper.copies),
                "numbered_form": paper.numbered,
                "masked": paper.leaves,
            }
            for kind, paper in PAPERS.items()
        ]
    )
    rows = [
        (kind.value, paper.title, _ABOUT[kind.value], str(len(paper.copies)))
        for kind, paper in PAPERS.items()
    ]
    out.lines(table(rows, ("KIND", "单据 PAPER", "ABOUT", "联 COPIES")))


_ABOUT = {
    "acceptance": "--act",
    "business": "--act",
    "loss": "--act",
    "replacement": "--act",
    "receipt": "--act, --form-number",
    "hand-out": "--lot",
    "statement": "--card or --place, --since, --until",
    "count": "--count, several for one place",
    "archive": "--volume",
}


@forms.command("list")
@click.option("--kind", type=click.Choice(KINDS), help="Only this kind 种类.")
@click.option("--card", "which", metavar="CARD", help="Only about this card; - reads it.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, metavar="N",
    help="At most so many papers.",
)  # fmt: skip
@common.registry_option()
@common.json_option()
def list_(
    kind: str | None, which: str | None, limit: int, registry: str | None, *, as_json: bool
) -> None:
    """List papers that were made 单据登记, the newest first."""
    from cardkit.registry.forms import Forms, Kind  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        card_id = find(opened, which).card_id if which else None
        found = Forms(opened.books).list(Kind(kind) if kind else None, card_id=card_id, limit=limit)
    out.list_document(document.as_json() for document in found)
    rows = [
        (
            document.number,
            document.kind.value,
            _about(document),
            document.made_at,
            document.made_by,
            _STANDINGS[document.standing],
            str(document.reprints),
        )
        for document in found
    ]
    heads = ("编号 NUMBER", "KIND", "ABOUT", "时间 MADE", "经办 BY", "状态", "补打 REPRINTS")
    out.lines(table(rows, heads))


def _about(document: Document) -> str:
    if document.subject.kind == "place":
        return str(document.content["about"])
    return f"{document.subject.kind} {document.subject.number}"


_STANDINGS = {"printed": "printed 已打印", "begun": "BEGUN 未完成", "void": "VOID 已作废"}


@forms.command("print")
@click.argument("kind", type=click.Choice(KINDS), metavar="KIND")
@click.option("--act", type=click.IntRange(min=1), metavar="N", help="About this act 业务.")
@click.option("--lot", type=click.IntRange(min=1), metavar="N", help="About this lot 发放批次.")
@click.option(
    "--count", "counts", type=click.IntRange(min=1), multiple=True, metavar="N",
    help="About this count of stock 盘点. Repeat it.",
)  # fmt: skip
@click.option("--volume", type=click.IntRange(min=1), metavar="N", help="About this volume 案卷.")
@click.option("--card", metavar="CARD", help="Statement of this card; - reads it.")
@click.option("--place", metavar="CODE", help="Statement of this place 单位.")
@click.option("--since", type=DAY, help="First day of a statement.")
@click.option("--until", type=DAY, help="Last day of a statement. Default: today.")
@click.option("--means", default="现金", show_default=True, help="How a receipt was paid.")
@click.option("--office", envvar="CARDKIT_OFFICE", help="Name of the office 机构名称 on the paper.")
@FORM
@AT
@FONTS
@OUT
@desk.acting
def print_(
    ctx: click.Context,
    /,
    kind: str,
    form_number: str | None,
    at: str | None,
    folders: tuple[Path, ...],
    out: Path,
    office: str | None,
    registry: str | None,
    *,
    as_json: bool,
    **wish: Any,  # noqa: ANN401
) -> None:
    """Make a paper 打印单据 of a KIND that `cardkit forms templates` shows, as a PDF file.

    It is recorded before the file appears; a second original is refused, see reprint. One that was
    begun and never came out is finished.
    """
    from cardkit.registry.forms import Forms, Kind  # noqa: PLC0415
    from cardkit.registry.forms.files import room_for  # noqa: PLC0415

    with common.open_registry(registry, only_look=True) as opened:
        operator = desk.signed_in(opened, ctx)
        room = Forms(opened.books, hours=_hours(ctx), folders=folders)
        found = _gathered(opened, ctx, Kind(kind), wish, office, operator)
        with room_for(out) as file:
            document, pdf = room.make(
                Kind(kind),
                found.content,
                subject=found.subject,
                operator=operator,
                card_id=found.card_id,
                form=_form(form_number, at, operator),
            )
            file.write(pdf)
    _tell(document, out, as_json=as_json)


@forms.command()
@click.argument("number")
@click.option("--reason", type=click.Choice(REASONS), required=True, help="Why 补打原因.")
@FORM
@AT
@FONTS
@OUT
@desk.acting
def reprint(
    ctx: click.Context,
    number: str,
    reason: str,
    form_number: str | None,
    at: str | None,
    folders: tuple[Path, ...],
    out: Path,
    registry: str | None,
    *,
    as_json: bool,
) -> None:
    """Print the paper of that NUMBER again 补打; it says so, and the history too."""
    from cardkit.registry.forms import Forms, Reason  # noqa: PLC0415
    from cardkit.registry.forms.files import room_for  # noqa: PLC0415

    with common.open_registry(registry, only_look=True) as opened:
        operator = desk.signed_in(opened, ctx)
        room = Forms(opened.books, hours=_hours(ctx), folders=folders)
        with room_for(out) as file:
            document, pdf = room.reprint(
                number.strip().upper(),
                Reason(reason),
                operator=operator,
                form=_form(form_number, at, operator),
            )
            file.write(pdf)
    _tell(document, out, as_json=as_json)


@forms.command()
@click.argument("number")
@click.option("--reason", type=click.Choice(VOID_REASONS), required=True, help="Why 作废原因.")
@common.registry_option()
@desk.operator_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def void(
    ctx: click.Context, number: str, reason: str, registry: str | None, *, as_json: bool
) -> None:
    """Make the paper of that NUMBER void 作废: it counts no more.

    Its act may have a new one. The number is not given out again, and a numbered form stays used:
    keep it with the void papers.
    """
    from cardkit.registry.forms import Forms, VoidReason  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        operator = desk.signed_in(opened, ctx)
        done = Forms(opened.books).void(
            number.strip().upper(), VoidReason(reason), operator=operator
        )
    out.document(done.as_json())
    out.line(say(f"{done.number} 已作废", f"{done.number} is void"))


@forms.command()
@click.argument("code")
@common.registry_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def verify(ctx: click.Context, code: str, registry: str | None, *, as_json: bool) -> None:
    """Check the CODE 验真码 of a paper: whether it was made here, and what it must say.

    Names and numbers of people are shown masked. Exit code 1 when the paper is not genuine.
    """
    from cardkit.registry.forms import Forms  # noqa: PLC0415
    from cardkit.registry.forms.printing import local  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        found = Forms(opened.books).check(code)
    out.document(found.as_json())
    out.line(FINDINGS[found.finding.value])
    if found.document is not None:
        document = found.document
        head = {"编号": document.number, "单据": str(document.as_json()["title"])}
        head |= {"出具时间": local(document.made_at), "补打次数": str(document.reprints)}
        out.lines(table((head | dict(found.shows)).items(), indent="  "))
    if found.finding.value != "genuine":
        ctx.exit(ExitCode.PARTIAL)


def _gathered(
    opened: Registry,
    ctx: click.Context,
    kind: Kind,
    wish: dict[str, Any],
    office: str | None,
    operator: Operator,
) -> Gathered:
    """What the paper says, what it is about, and the card, if it is about one."""
    from cardkit.registry.forms.gathering import Wish, gather  # noqa: PLC0415
    from cardkit.registry.forms.sources import Desk, office_of  # noqa: PLC0415

    rules, now = desk.rules_of(ctx), opened.books.store.now()
    wish["card"] = find(opened, wish["card"]).card_id if wish["card"] else None
    wish["place"] = wish["place"] or ""
    wish |= {day: wish[day].date() for day in ("since", "until") if wish[day]}
    with opened.books.store.reading(snapshot=True) as connection:
        name = office or office_of(connection, operator.place)
        place = Desk(rules, name, _hours(ctx))
        return gather(connection, place, kind, Wish(**wish), login=operator.login, now=now)


def _hours(ctx: click.Context) -> int:
    return desk.rules_of(ctx).calendar.utc_offset_hours


def _form(number: str | None, at: str | None, operator: Operator) -> NumberedForm | None:
    from cardkit.registry.forms import NumberedForm  # noqa: PLC0415

    if number is None:
        return None
    if not (at or operator.place):
        raise UsageError(
            "which stock has the numbered form?",
            hint="name its place with --at; your account has no place",
            zh="请用 --at 指明票据所在的库存地点：您的账号没有所属地点",
        )
    return NumberedForm(number, at or operator.place)


def _tell(document: Document, path: Path, *, as_json: bool) -> None:
    out = Output(as_json=as_json)
    out.document(document.as_json() | {"file": str(path)})
    number, reprints, code = document.number, document.reprints, document.as_json()["code"]
    out.line(
        say(
            f"{number}{f'（第{reprints}次补打）' * bool(reprints)}：验真码 {code}，已写入 {path}",
            f"{number}{f', reprint {reprints}' * bool(reprints)}: code {code}, written to {path}",
        )
    )
