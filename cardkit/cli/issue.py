"""``cardkit issue``: make the cards of a roster."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from cardkit.cli import common, desk, stock_place, windows
from cardkit.cli.connect import VIRTUAL, choose_reader, find_pcsc
from cardkit.cli.issue_rehearsal import show_rehearsal
from cardkit.cli.issue_text import Language, event_line, text
from cardkit.cli.key_access import open_keys
from cardkit.cli.output import Output
from cardkit.cli.psam_link import Patience, psam_options, psam_reader, psam_store
from cardkit.errors import ExitCode, UnreachableError, UsageError

if TYPE_CHECKING:
    from cardkit.issuance.batch import Batch, Tally
    from cardkit.issuance.feed import Feed
    from cardkit.issuance.job import Files, Job
    from cardkit.issuance.keyring import Keyring
    from cardkit.issuance.standing import Standing
    from cardkit.keys import KeyStore
    from cardkit.keys.psam_guard import GuardedPsam
    from cardkit.profile import Profile
    from cardkit.registry.registry import Registry
    from cardkit.registry.worklist import Worklist


@click.command()
@click.argument("file", type=common.PATH)
@common.profile_option(required=True)
@common.registry_option()
@common.reader_option(multiple=True)
@psam_options
@click.option(
    "--out",
    type=common.DIRECTORY,
    help="Where report 报告, reject file 退回文件 and return list 回盘文件 go. "
    "Default: FILE with .issued instead of its ending.",
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
    file: Path,
    profile: str,
    registry: str | None,
    readers: Sequence[str],
    psam: str | None,
    psam_image: Path | None,
    out: Path | None,
    *,
    dry_run: bool,
    chips: str,
    idle: float | None,
    window: str | None,
    lang: Language,
    as_json: bool,
) -> None:
    """Make the cards of the roster FILE 制卡.

    Blank chips are initialised and personalized, pre-made ones personalized. Several readers work
    at once: repeat --reader, or give a part of the name that all of them share. Ctrl-C stops after
    the current card; the next start goes on where this one ended, also after a power cut.

    With --psam the keys are in a PSAM: complete pre-made cards only, no blank chips. A PSAM that is
    pulled is waited for.

    Exit code 1: some rows were rejected, failed or are still without a card; see the report.
    """
    from cardkit.issuance import job as jobs  # noqa: PLC0415
    from cardkit.issuance.batch import Batch  # noqa: PLC0415
    from cardkit.issuance.writer import Writer  # noqa: PLC0415

    output = Output(as_json=as_json)
    loaded = common.load_profile(profile)
    roster = jobs.read_roster(loaded, file, common.today(loaded))
    if dry_run:
        by_psam = psam is not None or psam_image is not None
        if by_psam:
            _check_chips([VIRTUAL], chips)
        show_rehearsal(loaded, roster, chips, output, lang, by_psam=by_psam)
        return
    folder = out or file.with_suffix(".issued")
    jobs.prepare_folder(folder)
    slot = psam_reader(psam, psam_image)
    if slot or psam_image:
        _check_chips(readers, chips)
    feeds = _feeds(loaded, readers, chips, idle, folder, window, psam=slot)
    with ExitStack() as stack:
        sam = _psam(stack, loaded, slot, psam_image)
        keyring = _keyring(loaded, sam)
        opened = stack.enter_context(common.open_registry(registry))
        _window_person(opened, ctx)
        held = stock_place.keep(opened, ctx)
        opened.check_writable()
        job = jobs.enrol(loaded, opened, roster)
        output.note(_start(job, lang))
        if held is not None and held < len(job.wanted):
            output.note(text("stock", lang, held=held, place=stock_place.of(ctx)))
        work = jobs.worklist(opened, job, window or windows.own_name(), windows.is_dead)
        stack.callback(work.close)
        writer, rows = Writer(loaded, opened, work, keyring, os.urandom), job.row_of
        batch = Batch(
            writer, feeds, set(job.wanted),
            lambda event: output.note(event_line(event, lang, rows)),
        )  # fmt: skip
        _be_patient(sam, batch, output, lang)
        if job.wanted:
            output.note(text("readers", lang, names="、".join(feed.name for feed in feeds)))
        with _stopped_by_ctrl_c(batch, output, lang):
            tally = batch.run()
        stand = _standing(opened, work, job, tally)
        counts = _show_counts(output, job, tally, stand, lang)
        files = jobs.conclude(
            loaded, opened, job, tally, stand, out=folder, now=common.now(), lang=lang
        )
    _show_files(output, counts, job, tally, files, lang)
    if tally.stopped_by is not None:
        raise tally.stopped_by
    if roster.rejects or stand.failed or stand.open:
        ctx.exit(ExitCode.PARTIAL)


def _window_person(registry: Registry, ctx: click.Context) -> None:
    """A window operator makes cards; the history knows who else tried to."""
    from cardkit.registry.attempts import attempted  # noqa: PLC0415

    if not desk.accounts(registry, ctx).exist():
        return
    with attempted(registry.books, desk.signed_in(registry, ctx), "issue-cards"):
        desk.window_person(registry, ctx)


def _start(job: Job, lang: Language) -> str:
    roster, wanted = job.roster, len(job.wanted)
    good, rejected = len(job.rows), len(roster.rejects)
    return text("start", lang, roster=roster.name, rows=roster.count, good=good, rejected=rejected,
                wanted=wanted)  # fmt: skip


def _psam(
    stack: ExitStack, profile: Profile, reader: str | None, image: Path | None
) -> GuardedPsam | None:
    """The PSAM that is meant, if one is; asked for the window's keys before any card comes."""
    from cardkit.keys.open_psam import WINDOW_KEYS  # noqa: PLC0415

    store = psam_store(stack, profile, reader, image, "issue")
    if store is not None:
        store.check(WINDOW_KEYS)
    return store


def _check_chips(readers: Sequence[str], chips: str) -> None:
    """The virtual reader never runs out of chips: refuse once what every one would be refused."""
    if list(readers) == [VIRTUAL] and chips != "complete":
        raise UsageError(
            f"{chips} chips need keys that no PSAM has",
            hint="--chips complete, or leave out the PSAM",
        )


def _feeds(
    profile: Profile,
    names: Sequence[str],
    chips: str,
    idle: float | None,
    folder: Path,
    window: str | None,
    *,
    psam: str | None,
) -> list[Feed]:
    """The readers that are meant; checked before anything else happens."""
    if list(names) == [VIRTUAL]:
        from cardkit.virtual.factory import CardFactory, check_synthetic  # noqa: PLC0415
        from cardkit.virtual.feed import VirtualFeed  # noqa: PLC0415

        check_synthetic(profile)
        factory = CardFactory(profile, store=open_keys(profile, "issue"))
        kind = {"blank": chips == "blank", "complete": chips == "complete"}
        first = windows.first_virtual_serial(window)
        return [VirtualFeed(factory, folder / "virtual-cards", first=first, **kind)]
    find_pcsc()
    from cardkit.apdu import pcsc  # noqa: PLC0415
    from cardkit.issuance.feed import PcscFeed  # noqa: PLC0415

    if not names:
        states = [state for state in pcsc.reader_states() if state.name != psam]
        return [PcscFeed(choose_reader(None, states), idle=idle)]
    there = [reader for reader in pcsc.list_readers() if reader != psam]
    chosen = [r for r in there if any(name.casefold() in r.casefold() for name in names)]
    if not chosen:
        raise pcsc.NoSuchReaderError(
            f"no reader has {' or '.join(map(repr, names))} in its name"
            if there else "no reader is connected",
            hint="; ".join(there) or "plug one in, or use --reader virtual",
            zh=f"没有这样的读卡器，已连接：{'；'.join(there) or '无'}",
        )  # fmt: skip
    return [PcscFeed(reader, idle=idle) for reader in chosen]


def _keyring(profile: Profile, psam: GuardedPsam | None) -> Keyring:
    """The keys are opened before anything else: without keys nobody is enrolled."""
    from cardkit.issuance.keyring import Keyring  # noqa: PLC0415
    from cardkit.issuance.plan import algorithm_of, tree_of  # noqa: PLC0415
    from cardkit.keys.open_psam import WINDOW_KEYS  # noqa: PLC0415
    from cardkit.keys.open_store import factors_above  # noqa: PLC0415

    store: KeyStore = psam or open_keys(profile, "issue")
    above, tree = factors_above(profile), tree_of(profile)
    keyring = Keyring(store, above, tree, algorithm_of(profile))
    keyring.check(WINDOW_KEYS)
    return keyring


def _be_patient(psam: GuardedPsam | None, batch: Batch, output: Output, lang: Language) -> None:
    """Wait for a PSAM that was pulled, and say so."""
    if psam is None:
        return

    def tell(error: UnreachableError) -> None:
        output.note(text("waiting", lang, error=error.line(lang)))

    psam.wait = Patience(tell, lambda: batch.stopping)


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


def _standing(registry: Registry, work: Worklist, job: Job, tally: Tally) -> Standing:
    """What all windows together have made; the tally's own numbers when nobody can be asked."""
    from cardkit.issuance.standing import by_the_tally, standing  # noqa: PLC0415
    from cardkit.registry.errors import RegistryError  # noqa: PLC0415

    try:
        return standing(registry, work, set(job.rows.values()), job.wanted, tally)
    except RegistryError:
        return by_the_tally(job.wanted, tally)


def _show_counts(
    output: Output, job: Job, tally: Tally, stand: Standing, lang: Language
) -> dict[str, int]:
    """What came of the run; told before any file is written, which may fail."""
    if not job.wanted:
        output.note(text("nothing", lang))
    counts = {
        "issued": stand.issued,
        "elsewhere": stand.elsewhere,
        "rejected": len(job.roster.rejects),
        "failed": stand.failed,
        "spoilt": len(tally.spoilt),
        "open": stand.open,
    }
    output.line(text("done_shared" if stand.elsewhere else "done", lang, **counts))
    if tally.issued:
        output.line(text("rate", lang, rate=tally.cards_per_hour))
    return counts


def _show_files(
    output: Output, counts: dict[str, int], job: Job, tally: Tally, files: Files, lang: Language
) -> None:
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
