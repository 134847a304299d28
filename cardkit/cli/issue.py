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
from cardkit.cli.connect import VIRTUAL, find_pcsc
from cardkit.cli.issue_text import Language, event_line, text
from cardkit.cli.output import Output
from cardkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from cardkit.issuance.batch import Batch, Tally
    from cardkit.issuance.feed import Feed
    from cardkit.issuance.job import Files, Job
    from cardkit.issuance.roster import Roster
    from cardkit.profile import Profile
    from cardkit.registry.registry import Registry


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

    output = Output(as_json=as_json)
    loaded = common.load_profile(profile)
    roster = jobs.read_roster(loaded, file, common.today(loaded))
    if dry_run:
        _rehearse(loaded, roster, chips, output)
        return
    folder = out or file.with_suffix(".issued")
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
        batch = _batch(loaded, opened, job, feeds, output, lang)
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

    there = pcsc.list_readers()
    if not names and len(there) > 1:
        raise UsageError(
            f"{len(there)} readers are connected",
            hint=f"say which with --reader: {'; '.join(there)}",
        )
    chosen = [r for r in there if not names or any(n.casefold() in r.casefold() for n in names)]
    if not chosen:
        raise pcsc.NoSuchReaderError(
            f"no reader has {' or '.join(map(repr, names))} in its name"
            if there else "no reader is connected",
            hint="; ".join(there) or "plug one in, or use --reader virtual",
        )  # fmt: skip
    return [PcscFeed(reader, idle=idle) for reader in chosen]


def _batch(
    profile: Profile,
    registry: Registry,
    job: Job,
    feeds: list[Feed],
    output: Output,
    lang: Language,
) -> Batch:
    from cardkit.issuance.batch import Batch  # noqa: PLC0415
    from cardkit.issuance.job import worklist  # noqa: PLC0415
    from cardkit.issuance.keyring import Keyring  # noqa: PLC0415
    from cardkit.issuance.plan import tree_of  # noqa: PLC0415
    from cardkit.issuance.writer import Writer  # noqa: PLC0415
    from cardkit.keys.open_store import factors_above, open_store  # noqa: PLC0415

    keyring = Keyring(open_store(profile), factors_above(profile), tree_of(profile))
    writer = Writer(profile, registry, worklist(registry, job), keyring, os.urandom)
    return Batch(writer, feeds, set(job.wanted), lambda event: output.note(event_line(event, lang)))


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


def _rehearse(profile: Profile, roster: Roster, chips: str, output: Output) -> None:
    from cardkit.virtual.rehearsal import chip_for, rehearse  # noqa: PLC0415

    if not roster.applicants:
        raise UsageError("no row of the roster can be issued", hint="see `cardkit roster check`")
    card = chip_for(profile, chips)
    done = rehearse(profile, roster.applicants[0], card, common.now())
    count = len(roster.applicants)
    output.line(done.trace)
    output.line(
        f"{done.commands} commands, {done.sent} bytes sent, {done.received} received a card"
    )
    for speed, seconds in done.seconds.items():
        note = "" if speed in done.offered else "  (if the chip's ATR offers it)"
        hours = seconds * count / 3600
        output.line(
            f"{speed:>7} bit/s: {seconds:6.2f} s a card, {3600 / seconds:5.0f} cards an hour, "
            f"{hours:.1f} h for {count} cards at one reader{note}"
        )
    output.document(
        {
            "commands": done.commands,
            "bytes_sent": done.sent,
            "bytes_received": done.received,
            "seconds": {str(speed): round(s, 3) for speed, s in done.seconds.items()},
            "offered": list(done.offered),
            "cards": count,
            "rejected": len(roster.rejects),
        }
    )
