"""One run of issuing: a roster enrolled, the records it is about, and what came of it."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from cardkit import wholefile
from cardkit.codec.text import TextRules
from cardkit.errors import UsageError
from cardkit.issuance.batch import Tally
from cardkit.issuance.plan import local_day, tree_of
from cardkit.issuance.report import Counts, Report, render
from cardkit.issuance.roster import IssuedCard, Roster, read
from cardkit.issuance.roster.reasons import Problem
from cardkit.issuance.roster.remarks import Language
from cardkit.issuance.standing import Standing
from cardkit.profile import Profile
from cardkit.registry import lifecycle
from cardkit.registry.claims import nobody_is_dead
from cardkit.registry.contradictions import Problem as Contradiction
from cardkit.registry.enrolment_bars import Unfit
from cardkit.registry.lifecycle import kinds
from cardkit.registry.numbering import Numbering
from cardkit.registry.people import Applicant
from cardkit.registry.records import BatchInfo, CardRecord, Conflict, Enrolment
from cardkit.registry.registry import Registry
from cardkit.registry.states import NOT_MADE, State
from cardkit.registry.worklist import Worklist


@dataclass(slots=True)
class Job:
    """A roster with its card records.

    ``rows`` gives the record of every row that has one; ``wanted`` are the records that have no
    card yet. ``by_record``: there is no file, rows are numbers of records
    (`cardkit.issuance.waiting`).
    """

    roster: Roster
    enrolment: Enrolment
    rows: dict[int, int] = field(repr=False)
    wanted: list[int] = field(repr=False)
    by_record: bool = False

    @property
    def row_of(self) -> dict[int, int]:
        """Row in this roster, by card record."""
        return {card_id: row for row, card_id in self.rows.items()}


@dataclass(frozen=True, slots=True)
class Files:
    """What a run leaves behind; None where there was nothing to write."""

    report: Path
    rejects: Path | None
    returned: Path | None


def read_roster(profile: Profile, path: Path, today: dt.date) -> Roster:
    """Read and check a roster by the rules of a profile.

    Raises
    ------
    UsageError
        The file as a whole cannot be used.
    """
    rules = TextRules(four_bytes=profile.text.four_byte_characters)
    return read(path, today=today, text_rules=rules, tree=tree_of(profile))


def enrol(profile: Profile, registry: Registry, roster: Roster) -> Job:
    """Give every applicant a card record; rows that contradict the registry become rejects.

    So do rows of people who get no card by roster (their card was cancelled, their application is
    open or was refused, the identity system says that they are dead), and who are too old or too
    young for the card kind of their row. Enrolling the same roster again finds the same records.
    """
    numbers = profile.numbers
    enrolment = registry.enrol(
        roster.applicants,
        Numbering(
            numbers.card_prefix, numbers.card_first, numbers.serial_first, profile.region.city
        ),
        BatchInfo(roster.name, roster.digest, roster.count),
        _unfit(profile, local_day(profile, registry.books.store.now())),
    )
    rows = {
        applicant.row: card_id
        for applicant, card_id in zip(roster.applicants, enrolment.card_ids, strict=True)
        if card_id is not None
    }
    roster.refuse({c.applicant.row: _problem(c) for c in enrolment.conflicts})
    new = set(enrolment.new)
    wanted = list(enrolment.new)
    wanted += _unfinished(registry, [card_id for card_id in rows.values() if card_id not in new])
    return Job(roster, enrolment, rows, wanted)


def _unfit(profile: Profile, day: dt.date) -> Unfit:
    """The card kinds of the profile [D6]: age, and what is only lent.

    What a kind needs beside that (school, employer) is asked for at intake: a roster has no
    columns for it.
    """
    known = lifecycle.load(profile).kinds

    def unfit(applicant: Applicant) -> Contradiction | None:
        kind = known.get(applicant.card_kind)
        if kind is None:
            return None
        for one in kinds.problems(kind, {"birth_date": applicant.birth_date}, day):
            if one.field in ("birth_date", "card_kind") and applicant.birth_date:
                return Contradiction(one.field, one.zh, one.en)
        return None

    return unfit


def _problem(conflict: Conflict) -> Problem:
    words = {"chinese": conflict.reason, "english": conflict.reason_en}
    return Problem(conflict.field, "registry_says", words)


def _unfinished(registry: Registry, card_ids: list[int]) -> list[int]:
    """Records that still want a card; failed ones get another chance."""
    found = []
    for card_id, state in registry.states(card_ids).items():
        if state == State.FAILED:
            registry.retry(card_id)
        if state in (State.PLANNED, State.WRITING, State.FAILED):
            found.append(card_id)
    return found


def worklist(
    registry: Registry,
    job: Job,
    window: str = "",
    dead: Callable[[str], bool] = nobody_is_dead,
) -> Worklist:
    """The job's planned records, for the readers of this window; see `Registry.worklist`."""
    return registry.worklist(job.wanted, window=window, dead=dead)


def prepare_folder(out: Path) -> None:
    """Make the directory for a run's files and see that something can be written into it.

    Raises
    ------
    UsageError
        It cannot; found before anybody is enrolled or a card touched.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise UsageError(
            f"nothing can be written to {out}: {error.strerror}",
            hint="name another directory with --out",
            zh=f"不能写入目录 {out}：请用 --out 指定其他目录",
        ) from None


def conclude(
    profile: Profile,
    registry: Registry,
    job: Job,
    tally: Tally,
    standing: Standing,
    *,
    out: Path,
    now: dt.datetime,
    lang: Language = "zh",
) -> Files:
    """Write the report for the clerk, the reject file and the return list.

    Parameters
    ----------
    standing : Standing
        Numbers the operator was told at the end of the run: the report has the same.
    out : Path
        Directory, see `prepare_folder`. File names carry the local time, and a number where another
        window ended in the same second: no run overwrites what another one left.

    Raises
    ------
    UsageError
        A file cannot be written.
    """
    zone = dt.timezone(dt.timedelta(hours=profile.region.utc_offset_hours))
    stamp = f"{now.astimezone(zone):%Y%m%d-%H%M%S}"
    with _named_once(out, stamp) as name:
        records = {r.card_id: r for r in registry.get_many(set(job.rows.values()))}
        files = _write_lists(job, records, out, name, lang)
        said = _report(profile, job, tally, standing, records, files=files, stamp=stamp, lang=lang)
        wholefile.write(
            files.report,
            render(said, lang).encode(),
            name=files.report.name,
            hint="make room or name another directory with --out; no card is lost, run it again",
            zh=f"{files.report.name} 写入失败：请腾出空间或用 --out 另选目录后再次运行，"
            "已制的卡不受影响",
        )
        return files


@contextmanager
def _named_once(out: Path, stamp: str) -> Iterator[str]:
    """What the names of a run's files have in common: the time, numbered where it is taken.

    Windows that share their work end in the same second, perhaps in one folder. Whoever makes the
    report's name first has it; it is empty until the report is written, and goes if that fails.
    """
    for number in count(1):
        name = stamp if number == 1 else f"{stamp}-{number}"
        taken = out / f"report-{name}.txt"
        try:
            taken.touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            continue
        except OSError:  # the folder is gone or full: writing the files says so
            yield name
            return
        break
    try:
        yield name
    except BaseException:
        taken.unlink(missing_ok=True)
        raise


def _write_lists(
    job: Job, records: Mapping[int, CardRecord], out: Path, name: str, lang: Language
) -> Files:
    suffix = job.roster.format.suffix
    rejects = out / f"rejects-{name}{suffix}" if job.roster.rejects else None
    if rejects:
        job.roster.write_rejects(rejects, lang=lang)
    cards = _issued(job, records)
    returned = out / f"return-{name}{suffix}" if cards else None
    if returned:
        job.roster.write_return(returned, cards, lang=lang)
    return Files(out / f"report-{name}.txt", rejects, returned)


def _issued(job: Job, records: Mapping[int, CardRecord]) -> dict[int, IssuedCard]:
    return {
        row: IssuedCard(record.card_number, record.card_id_code.hex().upper())
        for row, card_id in job.rows.items()
        if (record := records[card_id]).state not in NOT_MADE
    }


def _report(
    profile: Profile,
    job: Job,
    tally: Tally,
    standing: Standing,
    records: Mapping[int, CardRecord],
    *,
    files: Files,
    stamp: str,
    lang: Language,
) -> Report:
    begun = [
        record
        for record in records.values()
        if record.state == State.WRITING and record.card_id not in standing.away
    ]
    counts = Counts(
        rows=job.roster.count,
        issued=standing.issued,
        elsewhere=standing.elsewhere,
        earlier=standing.earlier,
        rejected=len(job.roster.rejects),
        failed=standing.failed,
        spoilt=len(tally.spoilt),
        waiting=standing.waiting,
        begun=standing.begun,
    )
    row_of = job.row_of
    return Report(
        stamp,
        profile.name,
        job.roster.name,
        counts,
        tally.seconds,
        tally.cards_per_hour,
        tuple(job.roster.remarks),
        tuple(job.roster.rejects),
        tuple(
            (row_of[card_id], error.line(lang))
            for card_id, error in tally.failed.items()
            if card_id in row_of  # a card that was begun with another roster may have been put in
        ),
        tuple(error.line(lang) for _, error in tally.spoilt),
        tuple(Counter(error.line(lang) for error in tally.refused).items()),
        tuple((row_of[r.card_id], r.id_code.hex().upper()) for r in begun),
        tally.stopped_by.line(lang) if tally.stopped_by else "",
        tuple(path.name for path in (files.rejects, files.returned) if path),
        by_record=job.by_record,
    )
