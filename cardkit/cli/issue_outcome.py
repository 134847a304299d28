"""What came of a run of ``cardkit issue``: the counts, then the files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cardkit.cli import common
from cardkit.cli.issue_text import Language, text
from cardkit.cli.output import Output

if TYPE_CHECKING:
    from cardkit.issuance.batch import Tally
    from cardkit.issuance.job import Files, Job
    from cardkit.issuance.standing import Standing
    from cardkit.profile import Profile
    from cardkit.registry.registry import Registry
    from cardkit.registry.worklist import Worklist


def conclude(
    output: Output,
    profile: Profile,
    registry: Registry,
    work: Worklist,
    job: Job,
    tally: Tally,
    folder: Path,
    lang: Language,
) -> Standing:
    """Tell the counts, write the files into a folder, tell which; returns the counts."""
    from cardkit.issuance import job as jobs  # noqa: PLC0415

    stand = _standing(registry, work, job, tally)
    counts = _show_counts(output, job, tally, stand, lang)
    files = jobs.conclude(
        profile, registry, job, tally, stand, out=folder, now=common.now(), lang=lang
    )
    _show_files(output, counts, job, tally, files, lang)
    return stand


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
    """Which files there are; the whole outcome for programs."""
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
