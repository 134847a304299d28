"""``cardkit issue``: make the cards of a roster, or those that wait in the registry."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from cardkit.cli import (
    common,
    desk,
    issue_machines,
    issue_outcome,
    issue_source,
    stock_place,
    windows,
)
from cardkit.cli.issue_rehearsal import show_rehearsal
from cardkit.cli.issue_text import Language, event_line, text
from cardkit.cli.output import Output
from cardkit.cli.psam_link import psam_options, psam_reader
from cardkit.errors import ExitCode

if TYPE_CHECKING:
    from cardkit.issuance.batch import Batch
    from cardkit.registry.registry import Registry


@click.command()
@issue_source.options
@common.profile_option(required=True)
@common.registry_option()
@common.reader_option(multiple=True)
@psam_options
@click.option(
    "--out",
    type=common.DIRECTORY,
    help="Where report 报告, reject file 退回文件 and return list 回盘文件 go. "
    "Default: FILE with .issued instead of its ending; waiting.issued with --waiting.",
)
@click.option("--dry-run", is_flag=True, help="Show commands and seconds a card; touch nothing.")
@click.option(
    "--chips",
    type=click.Choice(["premade", "complete", "blank"]),
    default="premade",
    show_default=True,
    help="What the virtual reader holds, or --dry-run assumes: pre-made 预制卡, complete (also "
    "the MAC of its id code) or blank 空白卡. In a real reader the chip itself tells.",
)
@click.option(
    "--idle", type=click.FloatRange(min=0), metavar="SECONDS",
    help="End when no card comes for so long. Default: wait.",
)  # fmt: skip
@click.option(
    "--window", metavar="NAME", envvar="CARDKIT_WINDOW",
    help="Name of this window 窗口, where several share a registry; after a power cut it goes on "
    "with the records it had. Default: computer and process.",
)  # fmt: skip
@stock_place.option()
@desk.operator_option()
@common.lang_option()
@common.json_option()
@click.pass_context
def issue(
    ctx: click.Context,
    file: Path | None,
    cards: Sequence[int],
    profile: str,
    registry: str | None,
    readers: Sequence[str],
    psam: str | None,
    psam_image: Path | None,
    out: Path | None,
    *,
    waiting: bool,
    dry_run: bool,
    chips: str,
    idle: float | None,
    window: str | None,
    lang: Language,
    as_json: bool,
) -> None:
    """Make the cards of the roster FILE 制卡, or with --waiting those the registry has planned.

    Blank chips are initialised and personalized, pre-made ones personalized. Several readers work
    at once: repeat --reader, or give a part of the name that all of them share. Ctrl-C stops after
    the current card; the next start goes on where this one ended, also after a power cut.

    --waiting leaves out people of another place than yours, where the rules bind your role to its
    place; failed records only when --card names them.

    With --psam the keys are in a PSAM: complete pre-made cards only, no blank chips. A PSAM that is
    pulled is waited for.

    Exit code 1: some rows were rejected, failed or are still without a card; see the report.
    """
    from cardkit.issuance import job as jobs  # noqa: PLC0415
    from cardkit.issuance.batch import Batch  # noqa: PLC0415
    from cardkit.issuance.writer import Writer  # noqa: PLC0415

    output = Output(as_json=as_json)
    loaded = common.load_profile(profile)
    source = issue_source.chosen(loaded, file, cards, lang, waiting=waiting)
    if dry_run:
        by_psam = psam is not None or psam_image is not None
        found = source.rehearsed(ctx, registry)
        show_rehearsal(loaded, found, chips, output, lang, by_psam=by_psam)
        return
    folder = out or source.folder
    jobs.prepare_folder(folder)
    slot = psam_reader(psam, psam_image)
    if slot or psam_image:
        issue_machines.check_chips(readers, chips)
    feeds = issue_machines.feeds_of(loaded, readers, chips, idle, folder, window, psam=slot)
    with ExitStack() as stack:
        sam = issue_machines.psam_of(stack, loaded, slot, psam_image)
        keyring = issue_machines.keyring_of(loaded, sam)
        new = source.makes_registry
        opened = stack.enter_context(common.open_registry(registry, begins=new, only_look=not new))
        _window_person(opened, ctx)
        held = stock_place.keep(opened, ctx)
        opened.check_writable()
        job = source.job(opened, ctx)
        output.note(source.start(job))
        for line in _beforehand(ctx, held, len(job.wanted), [feed.name for feed in feeds], lang):
            output.note(line)
        work = jobs.worklist(opened, job, window or windows.own_name(), windows.is_dead)
        stack.callback(work.close)
        rows = None if job.by_record else job.row_of
        batch = Batch(
            Writer(loaded, opened, work, keyring, os.urandom), feeds, set(job.wanted),
            lambda event: output.note(event_line(event, lang, rows)),
        )  # fmt: skip
        issue_machines.be_patient(sam, batch, output, lang)
        with _stopped_by_ctrl_c(batch, output, lang):
            tally = batch.run()
        stand = issue_outcome.conclude(output, loaded, opened, work, job, tally, folder, lang)
    if tally.stopped_by is not None:
        raise tally.stopped_by
    if job.roster.rejects or stand.failed or stand.open:
        ctx.exit(ExitCode.PARTIAL)


def _beforehand(
    ctx: click.Context, held: int | None, wanted: int, readers: Sequence[str], lang: Language
) -> Iterator[str]:
    if held is not None and held < wanted:
        yield text("stock", lang, held=held, place=stock_place.of(ctx))
    if wanted:
        yield text("readers", lang, names="、".join(readers))


def _window_person(registry: Registry, ctx: click.Context) -> None:
    """A window operator makes cards; the history knows who else tried to."""
    from cardkit.registry.attempts import attempted  # noqa: PLC0415

    if not desk.accounts(registry, ctx).exist():
        return
    with attempted(registry.books, desk.signed_in(registry, ctx), "issue-cards"):
        desk.window_person(registry, ctx)


@contextmanager
def _stopped_by_ctrl_c(batch: Batch, output: Output, lang: Language) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) asks to stop after the current card, the second breaks off."""

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        batch.stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        output.note(text("stopping", lang))

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
