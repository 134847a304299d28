"""Whose cards ``cardkit issue`` makes: people of a roster, or who wait in the registry."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import click

from cardkit.cli import common, desk
from cardkit.cli.issue_text import Language, text
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.cli.common import F
    from cardkit.issuance.job import Job
    from cardkit.issuance.roster import Roster
    from cardkit.profile import Profile
    from cardkit.registry.records import CardRecord
    from cardkit.registry.registry import Registry

_FOLDER = "waiting.issued"


class Rehearsed(NamedTuple):
    """Whose cards a rehearsal is about, and whether the first of them has a photo for the chip."""

    roster: Roster
    photo: bool


class Source(Protocol):
    """Where the work of a run comes from.

    Parameters
    ----------
    folder : Path
        Where the files of the run go, if nobody says otherwise.
    makes_registry : bool
        Whether a registry that is not there yet is begun.
    """

    folder: Path
    makes_registry: bool

    def rehearsed(self, ctx: click.Context, registry: str | None) -> Rehearsed:
        """Whose cards a rehearsal is about; nothing is changed."""
        ...

    def job(self, registry: Registry, ctx: click.Context) -> Job:
        """The records of the run."""
        ...

    def start(self, job: Job) -> str:
        """What the operator is told before the first card."""
        ...


def options(command: F) -> F:
    """The argument FILE, ``--waiting`` and ``--card``; `chosen` takes what they say."""
    file = click.argument("file", type=common.PATH, required=False)
    waiting = click.option(
        "--waiting", is_flag=True,
        help="Instead of FILE: the records that wait in the registry 待制, e.g. of confirmed "
        "applications and replacements.",
    )  # fmt: skip
    card = click.option(
        "--card", "cards", type=click.IntRange(min=1), multiple=True, metavar="N",
        help="With --waiting: only the card record 记录 with this number. Repeat it.",
    )  # fmt: skip
    return file(waiting(card(command)))


def chosen(
    profile: Profile, file: Path | None, cards: Sequence[int], lang: Language, *, waiting: bool
) -> Source:
    """What the command line means; a roster is read now, before anything else is touched.

    Raises
    ------
    UsageError
        Both or neither of FILE and ``--waiting``, or a roster that cannot be used.
    """
    if cards and not waiting:
        raise UsageError(
            "--card goes with --waiting: a roster makes the cards of all its people",
            hint="cardkit issue --waiting --card N",
            zh="--card 只与 --waiting 一起使用：cardkit issue --waiting --card 记录号",
        )
    if waiting == (file is not None):
        raise UsageError(
            "a roster FILE and --waiting exclude each other"
            if waiting else "whose cards? neither a roster FILE nor --waiting is there",
            hint="cardkit issue FILE for a roster, or cardkit issue --waiting for the records that "
            "wait in the registry",
            zh="花名册文件与 --waiting 须二选一：按花名册制卡用 cardkit issue 文件，"
            "登记库中的待制卡用 cardkit issue --waiting",
        )  # fmt: skip
    if file is None:
        return _FromRegistry(profile, cards, lang)
    return _FromRoster(profile, file, lang)


class _FromRoster:
    makes_registry = True

    def __init__(self, profile: Profile, file: Path, lang: Language) -> None:
        from cardkit.issuance import job as jobs  # noqa: PLC0415

        self._profile = profile
        self._lang = lang
        self._roster = jobs.read_roster(profile, file, common.today(profile))
        self.folder = file.with_suffix(".issued")

    def rehearsed(self, ctx: click.Context, registry: str | None) -> Rehearsed:  # noqa: ARG002
        return Rehearsed(self._roster, photo=False)  # no registry is asked

    def job(self, registry: Registry, ctx: click.Context) -> Job:  # noqa: ARG002
        from cardkit.issuance import job as jobs  # noqa: PLC0415

        return jobs.enrol(self._profile, registry, self._roster)

    def start(self, job: Job) -> str:
        roster, wanted = job.roster, len(job.wanted)
        good, rejected = len(job.rows), len(roster.rejects)
        return text("start", self._lang, roster=roster.name, rows=roster.count, good=good,
                    rejected=rejected, wanted=wanted)  # fmt: skip


class _FromRegistry:
    makes_registry = False

    def __init__(self, profile: Profile, cards: Sequence[int], lang: Language) -> None:
        self._profile = profile
        self._cards = cards
        self._lang = lang
        self.folder = Path(_FOLDER)

    def rehearsed(self, ctx: click.Context, registry: str | None) -> Rehearsed:
        from cardkit.issuance import waiting  # noqa: PLC0415
        from cardkit.issuance.roster.recorded import of_people  # noqa: PLC0415
        from cardkit.registry.intake.photos import Photos  # noqa: PLC0415

        with common.open_registry(registry, only_look=True) as opened:
            found = self._found(opened, ctx)
            photos = Photos(opened.books)
            photo = bool(found) and photos.chip_photo(found[0].person_id) != b""
        if not found:
            raise UsageError(
                "no record of the registry waits for its card",
                hint="`cardkit registry list --state planned` shows those that wait",
                zh="登记库中没有待制的卡：可用 cardkit registry list --state planned 查看",
            )
        people = of_people([waiting.applicant(record) for record in found], self._lang)
        return Rehearsed(people, photo)

    def job(self, registry: Registry, ctx: click.Context) -> Job:
        from cardkit.issuance import waiting  # noqa: PLC0415

        found = self._found(registry, ctx, keep_refusal=True)
        return waiting.job_of(registry, found, self._lang)

    def start(self, job: Job) -> str:
        return text("start_waiting", self._lang, wanted=len(job.wanted))

    def _found(
        self, registry: Registry, ctx: click.Context, *, keep_refusal: bool = False
    ) -> list[CardRecord]:
        """Of the people whom this window's work reaches, once there are accounts."""
        from cardkit.issuance.waiting import everybody_is_here, records  # noqa: PLC0415
        from cardkit.registry.attempts import attempted  # noqa: PLC0415
        from cardkit.registry.lifecycle import reach  # noqa: PLC0415
        from cardkit.registry.operators import Role  # noqa: PLC0415

        operator = desk.reader(registry, ctx)
        if operator is None:
            return records(registry, self._cards, everybody_is_here)
        rules, books = desk.rules_of(ctx), registry.books
        with attempted(books, operator, "issue-cards") if keep_refusal else nullcontext():
            return records(
                registry,
                self._cards,
                lambda people: reach.outside(books, rules, operator, {Role.WINDOW}, people),
            )
