"""``cardkit lifecycle temporary``: temporary cards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from cardkit.cli import common, desk
from cardkit.cli.lifecycle_act import (
    Given,
    act_options,
    given_options,
    perform,
    request_of,
    show,
    show_finished,
)
from cardkit.cli.lifecycle_text import told_pool
from cardkit.cli.output import Output, say
from cardkit.cli.registry_cards import find
from cardkit.cli.session import Target, card_session, target_options
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.issuance.temporary_service import TemporaryService
    from cardkit.registry.operators import Operator
    from cardkit.registry.registry import Registry


@click.group()
def temporary() -> None:
    """Temporary cards 临时卡: a pool that is lent against a deposit."""


@temporary.command("add")
@click.argument("serials", metavar="SERIAL...", nargs=-1, required=True)
@desk.acting
def temporary_add(
    ctx: click.Context, serials: tuple[str, ...], registry: str | None, *, as_json: bool
) -> None:
    """Put cards into the pool 临时卡, by the serials printed on them."""
    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        by = desk.signed_in(opened, ctx)
        numbers = desk.lifecycle_of(opened, ctx).stock_pool(serials, operator=by)
    out.document(dict(zip(serials, numbers, strict=True)))
    out.lines(
        say(f"{serial}：编号{number}", f"{serial}: number {number}")
        for serial, number in zip(serials, numbers, strict=True)
    )


@temporary.command("list")
@click.option(
    "--only", type=click.Choice(["pool", "out", "overdue"]),
    help="Only these: in the pool 备用, out 借出, not back in time 逾期.",
)  # fmt: skip
@desk.acting
def temporary_list(
    ctx: click.Context, only: str | None, registry: str | None, *, as_json: bool
) -> None:
    """List temporary cards 临时卡: which are in the pool, out, or should be back."""
    from cardkit.registry.lifecycle.pool import temporary_pool  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        desk.signed_in(opened, ctx)
        found = temporary_pool(opened.books, desk.rules_of(ctx).calendar)
    if only is not None:
        found = [one for one in found if one.overdue or only != "overdue"]
        found = [one for one in found if only in (one.state, "overdue")]
    out.document([one.as_json() for one in found])
    out.lines(told_pool(found, desk.rules_of(ctx)))


def _number(which: str) -> int:
    if not which.isdecimal():
        raise UsageError(
            "a temporary card is named by its number",
            hint="`cardkit lifecycle temporary list` shows them",
            zh="请用编号指明临时卡：cardkit lifecycle temporary list 可查看",
        )
    return int(which)


def _temporary(name: str, text: str) -> None:
    @act_options
    def run(ctx: click.Context, which: str, **given: Any) -> None:  # noqa: ANN401
        perform(ctx, f"temporary-{name}", which=str(_number(which)), on_card=False, **given)

    temporary.command(name, help=text)(run)


for _name, _text in {
    "back": "A temporary card comes back 归还; the deposit is given back.",
    "lost": "A temporary card is lost 遗失; the deposit is kept.",
    "retire": "Take a temporary card out of the pool for good 停用.",
}.items():
    _temporary(_name, _text)


# --- at the reader -------------------------------------------------------------------------------


def _at_reader(command: Any) -> Any:  # noqa: ANN401
    """The options of acts on a temporary card that may lie in a reader."""
    decorated = given_options(target_options(click.pass_context(command)))
    return click.argument("which", metavar="N")(decorated)


@temporary.command("out")
@click.option(
    "--for", "person_of", metavar="CARD", required=True,
    help="A card record of the person who borrows it.",
)  # fmt: skip
@_at_reader
def out_(ctx: click.Context, /, target: Target, which: str, person_of: str, **given: Any) -> None:  # noqa: ANN401
    """Lend a temporary card 借出; the deposit is taken.

    With --reader the chip is written for the borrower, under a number that is used once. What broke
    off is finished by the same command. Without, say `chip done` when it was written elsewhere.
    """
    number = _number(which)
    if target.reader is None and target.image is None:
        perform(ctx, "temporary-out", which=which, person_of=person_of, on_card=False, **given)
        return
    with _service(ctx, target, given) as (opened, service, operator):
        borrower = find(opened, person_of)
        begun = service.begun(number)
        if begun is not None:
            service.finish(begun, borrower, operator)
            show_finished(ctx, begun, as_json=given["as_json"])
            return
        asked = request_of(
            opened, ctx, ("temporary-out", number), operator, Given.of(given),
            {"person": str(borrower.person_id)},
        )  # fmt: skip
        act = service.lend(asked, borrower)
    show(ctx, act, chip_done=True, as_json=given["as_json"])


@temporary.command("wipe")
@_at_reader
def wipe_(ctx: click.Context, /, target: Target, which: str, **given: Any) -> None:  # noqa: ANN401
    """Wipe a returned card 清除: then it may be lent again, under another number.

    With --reader the chip is emptied and read again, its PIN reset, before the card is in the pool.
    Without, whoever says so wiped it elsewhere; the history says that it was told.
    """
    number = _number(which)
    if target.reader is None and target.image is None:
        with common.open_registry(given["registry"]) as opened:
            operator = desk.signed_in(opened, ctx)
            life = desk.lifecycle_of(opened, ctx)
            asked = request_of(opened, ctx, ("temporary-wipe", number), operator, Given.of(given))
            act = life.perform(asked)
            life.chip_done(act.act_id, operator=operator)
    else:
        with _service(ctx, target, given) as (opened, service, operator):
            asked = request_of(opened, ctx, ("temporary-wipe", number), operator, Given.of(given))
            act = service.wipe(asked)
    show(ctx, act, chip_done=True, as_json=given["as_json"])


@contextmanager
def _service(
    ctx: click.Context, target: Target, given: Mapping[str, Any]
) -> Iterator[tuple[Registry, TemporaryService, Operator]]:
    """The registry, the card in the reader, and who works."""
    from cardkit.issuance.temporary_service import TemporaryService  # noqa: PLC0415

    with (
        common.open_registry(given["registry"], only_look=True) as opened,
        card_session(target, opens=True, keys=True) as session,
    ):
        life = desk.lifecycle_of(opened, ctx)
        service = TemporaryService(opened, life, session.in_reader())
        yield opened, service, desk.signed_in(opened, ctx)
