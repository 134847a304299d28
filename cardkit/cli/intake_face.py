"""``cardkit intake face ...``: the printed side of a card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardkit import wholefile
from cardkit.cli import common, desk
from cardkit.cli.intake_common import worker
from cardkit.cli.output import Output
from cardkit.cli.registry_cards import find
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.profile import Profile
    from cardkit.registry.intake.content import FaceContent
    from cardkit.registry.intake.layout import Layout
    from cardkit.registry.intake.photos import StoredPhoto
    from cardkit.registry.intake.printer import Printer
    from cardkit.registry.records import CardRecord

SPOILT_REASONS = ("jam", "bad-print", "wrong-photo", "wrong-name", "unknown", "lost")

CARD = click.argument("which", metavar="CARD")


def _content_of(profile: Profile) -> Callable[[CardRecord, StoredPhoto], FaceContent]:
    """What a face says: the issue date is that of the chip, or today where none is begun."""
    from cardkit.issuance.plan import local_day, years_later  # noqa: PLC0415
    from cardkit.registry.intake.content import FaceContent  # noqa: PLC0415

    def content(record: CardRecord, photo: StoredPhoto) -> FaceContent:
        issued = (
            local_day(profile, record.writing_at) if record.writing_at else common.today(profile)
        )
        return FaceContent(
            record.name,
            record.citizen_number,
            record.card_number,
            issued,
            years_later(issued, profile.issue.validity_years),
            photo.print,
            title=profile.face.title,
            issuer=profile.face.issuer or profile.region.name,
        )

    return content


def _layout(profile: Profile) -> Layout:
    from cardkit.registry.intake.layout import load_layout  # noqa: PLC0415

    return load_layout(profile.face.layout, profile.folder)


def _draw(profile: Profile) -> Callable[[FaceContent, Layout], bytes]:
    from cardkit.registry.intake.face import FontBook, draw_face  # noqa: PLC0415

    book = FontBook(profile.folder / profile.face.font if profile.face.font else None)

    def draw(content: FaceContent, layout: Layout) -> bytes:
        return draw_face(content, layout, book)

    return draw


@click.command()
@CARD
@click.option("--out", type=common.PATH, required=True, help="PNG file; only you can read it.")
@common.profile_option(required=True)
@common.registry_option()
@desk.operator_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def face(
    ctx: click.Context, which: str, out: Path, profile: str, registry: str | None, *, as_json: bool
) -> None:
    """Draw the printed side of CARD 卡面 into a file; nothing is printed or noted.

    CARD as for `registry show`.
    """
    from cardkit.registry.intake.photos import Photos  # noqa: PLC0415

    loaded = common.load_profile(profile)
    layout = _layout(loaded)
    with common.open_registry(registry, only_look=True) as opened:
        desk.reader(opened, ctx)
        record = find(opened, which)
        photo = Photos(opened.books).current(record.person_id)
    image = _draw(loaded)(_content_of(loaded)(record, photo), layout)
    wholefile.write(out, image)
    shown = Output(as_json=as_json)
    shown.document(
        {"card_id": record.card_id, "file": str(out), "width": layout.width,
         "height": layout.height, "dpi": layout.dpi, "bytes": len(image)}
    )  # fmt: skip
    shown.line(f"face of record {record.card_id}: {out} ({layout.width} x {layout.height})")


@click.command("print")
@CARD
@click.option(
    "--printer",
    "address",
    metavar="ADDRESS",
    required=True,
    envvar="CARDKIT_CARD_PRINTER",
    help="Card printer 打印机: virtual:DIR, or virtual:DIR?ribbon=100&jam=3 ...",
)
@common.profile_option(required=True)
@common.registry_option()
@desk.operator_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def print_(
    ctx: click.Context,
    which: str,
    address: str,
    profile: str,
    registry: str | None,
    *,
    as_json: bool,
) -> None:
    """Print the face of CARD 打印卡面, once: an earlier one has to be given up first."""
    from cardkit.registry.intake.faces import Faces  # noqa: PLC0415

    loaded = common.load_profile(profile)
    layout = _layout(loaded)
    machine = _printer(address)
    with common.open_registry(registry, only_look=True) as opened:
        _, books = worker(opened, ctx, "print-face")
        record = find(opened, which)
        printed = Faces(books).print(record, machine, layout, _content_of(loaded), _draw(loaded))
    out = Output(as_json=as_json)
    out.document(printed.as_json())
    out.line(f"record {record.card_id}: face 卡面 {printed.print_id} printed by {printed.printer}")


def _printer(address: str) -> Printer:
    from cardkit.virtual.printer import SCHEME, VirtualPrinter  # noqa: PLC0415

    if not address.startswith(SCHEME):
        raise UsageError("no such card printer", hint="virtual:DIR; others come as plug-ins")
    return VirtualPrinter.named(address)


@click.command("spoil-face")
@CARD
@click.option("--reason", type=click.Choice(SPOILT_REASONS), required=True, help="Why 原因.")
@desk.acting
def spoil_face(
    ctx: click.Context, which: str, reason: str, registry: str | None, *, as_json: bool
) -> None:
    """Give up the printed face of CARD 作废卡面; it may be printed again, on another card."""
    from cardkit.registry.intake.faces import Faces  # noqa: PLC0415

    with common.open_registry(registry, only_look=True) as opened:
        _, books = worker(opened, ctx, "spoil-face")
        record = find(opened, which)
        number = Faces(books).spoil(record.card_id, reason)
    out = Output(as_json=as_json)
    out.document({"card_id": record.card_id, "print": number, "reason": reason})
    out.line(f"record {record.card_id}: face 卡面 {number} is spoilt ({reason})")


@click.command()
@click.argument("text", metavar="CARD-NUMBER")
@common.registry_option()
@common.lang_option(only_errors=True)
@common.json_option()
def match(text: str, registry: str | None, *, as_json: bool) -> None:
    """Find the record of a printed card 卡面匹配 by its bar code (the card number 卡号).

    Refused, with exit code 4, when the card must not be used: spoilt, dead, or printed before name
    or photo were changed.
    """
    from cardkit.registry.intake.faces import Faces  # noqa: PLC0415

    with common.open_registry(registry, only_look=True) as opened:
        card_id, number = Faces(opened.books).match(text)
        state = opened.get(card_id).state
    out = Output(as_json=as_json)
    out.document({"card_id": card_id, "print": number, "state": state})
    out.line(f"record {card_id} ({state}), face 卡面 {number}")
