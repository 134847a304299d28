"""``cardkit issue``: make the cards of a roster."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from cardkit.cli import common
from cardkit.cli.connect import VIRTUAL, choose_reader, find_pcsc
from cardkit.cli.issue_rehearsal import show_rehearsal
from cardkit.cli.issue_text import Language, event_line, text
from cardkit.cli.output import Output
from cardkit.errors import ExitCode

if TYPE_CHECKING:
    from cardkit.issuance.batch import Batch, Tally
    from cardkit.issuance.feed import Feed
    from cardkit.issuance.job import Files, Job
    from cardkit.issuance.keyring import Keyring
    from cardkit.profile import Profile


@click.command()
@click.argument("file", type=common.PATH)
@common.profile_option(required=True)
@common.registry_option()
@common.reader_option(multiple=True)
@click.option(
    "--out",
    type=common.DIRECTORY,
    help="Where report 报告, reject file 退回文件 and return list 回盘文件 go. "
    "Default: FILE with .issued instead of its ending.",
)
@click.option("--dry-run", is_flag=True, help="Show commands and seconds a card; touch nothing.")
@click.option(
    "--chips",
    type=click.Choice(["premade", "blank"]),
    default="premade",
    show_default=True,
    help="What the virtual reader holds, or --dry-run assumes: pre-made 预制卡 or blank 空白卡. "
    "In a real reader the chip itself tells.",
)
@click.option(
    "--idle", type=click.FloatRange(min=0), metavar="SECONDS",
    help="End when no card comes for so long. Default: wait.",
)  # fmt: skip
@common.lang_option()
@common.json_option()
@click.pass_context
def issue(
    ctx: click.Context,
    file: Path,
    profile: str,
    registry: str | None,
    readers: Sequence[str],
    out: Path | None,
    *,
    dry_run: bool,
    chips: str,
    idle: float | None,
    lang: Language,
    as_json: bool,
) -> None:
    """Make the cards of the roster FILE 制卡.

    Blank chips are initialised and personalized, pre-made ones personalized. Several readers work
    at once: repeat --reader, or give a part of the name that all of them share. Ctrl-C stops after
    the current card; the next start goes on where this one ended, also after a power cut.

    Exit code 1: some rows were rejected, failed or are still without a card; see the report.
    """
    from cardkit.issuance import job as jobs  # noqa: PLC0415
    from cardkit.issuance.batch import Batch  # noqa: PLC0415
    from cardkit.issuance.writer import Writer  # noqa: PLC0415

    output = Output(as_json=as_json)
    loaded = common.load_profile(profile)
    roster = jobs.read_roster(loaded, file, common.today(loaded))
    if dry_run:
        show_rehearsal(loaded, roster, chips, output, lang)
        return
    keyring = _keyring(loaded)
    folder = out or file.with_suffix(".issued")
    jobs.prepare_folder(folder)
    feeds = _feeds(loaded, readers, chips, idle, folder)
    with common.open_registry(registry) as opened:
        opened.check_writable()
        job = jobs.enrol(loaded, opened, roster)
        output.note(
            text(
                "start", lang, roster=roster.name, rows=roster.count, good=len(job.rows),
                rejected=len(roster.rejects), wanted=len(job.wanted),
            )
        )  # fmt: skip
        writer = Writer(loaded, opened, jobs.worklist(opened, job), keyring, os.urandom)
        batch = Batch(
            writer, feeds, set(job.wanted), lambda event: output.note(event_line(event, lang))
        )
        if job.wanted:
            output.note(text("readers", lang, names="、".join(feed.name for feed in feeds)))
        with _stopped_by_ctrl_c(batch, output, lang):
            tally = batch.run()
        files = jobs.conclude(loaded, opened, job, tally, out=folder, now=common.now(), lang=lang)
    _show(output, job, tally, files, lang)
    if tally.stopped_by is not None:
        raise tally.stopped_by
    open_records = len(job.wanted) - len(tally.issued)
    if roster.rejects or tally.failed or open_records:
        ctx.exit(ExitCode.PARTIAL)


def _feeds(
    profile: Profile, names: Sequence[str], chips: str, idle: float | None, folder: Path
) -> list[Feed]:
    """The readers that are meant; checked before anything else happens."""
    if list(names) == [VIRTUAL]:
        from cardkit.virtual.factory import CardFactory  # noqa: PLC0415
        from cardkit.virtual.feed import VirtualFeed  # noqa: PLC0415

        factory = CardFactory(profile)
        return [VirtualFeed(factory, folder / "virtual-cards", blank=chips == "blank")]
    find_pcsc()
    from cardkit.apdu import pcsc  # noqa: PLC0415
    from cardkit.issuance.feed import PcscFeed  # noqa: PLC0415

    if not names:
        return [PcscFeed(choose_reader(None, pcsc.reader_states()), idle=idle)]
    there = pcsc.list_readers()
    chosen = [r for r in there if any(name.casefold() in r.casefold() for name in names)]
    if not chosen:
        raise pcsc.NoSuchReaderError(
            f"no reader has {' or '.join(map(repr, names))} in its name"
            if there else "no reader is connected",
            hint="; ".join(there) or "plug one in, or use --reader virtual",
            zh=f"没有这样的读卡器，已连接：{'；'.join(there) or '无'}",
        )  # fmt: skip
    return [PcscFeed(reader, idle=idle) for reader in chosen]


def _keyring(profile: Profile) -> Keyring:
    """The key store is opened before anything else: without keys nobody is enrolled."""
    from cardkit.issuance.keyring import Keyring  # noqa: PLC0415
    from cardkit.issuance.plan import tree_of  # noqa: PLC0415
    from cardkit.keys.open_store import factors_above, open_store  # noqa: PLC0415

    return Keyring(open_store(profile), factors_above(profile), tree_of(profile))


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


def _show(output: Output, job: Job, tally: Tally, files: Files, lang: Language) -> None:
    if not job.wanted:
        output.note(text("nothing", lang))
    rejected, failed = len(job.roster.rejects), len(tally.failed)
    counts = {
        "issued": len(tally.issued),
        "rejected": rejected,
        "failed": failed,
        "spoilt": len(tally.spoilt),
        "open": len(job.wanted) - len(tally.issued) - failed,
    }
    output.line(text("done", lang, **counts))
    if tally.issued:
        output.line(text("rate", lang, rate=tally.cards_per_hour))
    for name in ("report", "rejects", "returned"):
        path = getattr(files, name)
        if path:
            output.line(text(name, lang, path=path))
    output.document(
        {
            **counts,
            "existing": len(job.enrolment.existing),
            "report": str(files.report),
            "rejects": str(files.rejects) if files.rejects else None,
            "return_list": str(files.returned) if files.returned else None,
            "cards_per_hour": round(tally.cards_per_hour, 1),
            "stopped": tally.stopped_by.message if tally.stopped_by else None,
        }
    )
