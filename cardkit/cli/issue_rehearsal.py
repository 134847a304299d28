"""``cardkit issue --dry-run``: what one card takes, without touching any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardkit.cli import common
from cardkit.cli.connect import VIRTUAL
from cardkit.cli.issue_machines import check_chips
from cardkit.cli.issue_text import Language, duration, text
from cardkit.cli.key_access import open_keys
from cardkit.cli.output import Output
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.cli.issue_source import Rehearsed
    from cardkit.profile import Profile
    from cardkit.virtual.rehearsal import Rehearsal


def show_rehearsal(
    profile: Profile,
    found: Rehearsed,
    chips: str,
    output: Output,
    lang: Language,
    *,
    by_psam: bool,
) -> None:
    """Make the first card of a roster on a virtual chip; print its commands and its time.

    Parameters
    ----------
    by_psam : bool
        A PSAM will have the keys. It is not touched, and a window that has one need have no store:
        commands are the same whatever the keys, so public test keys stand in.

    Raises
    ------
    UsageError
        No row of the roster can be issued.
    """
    from cardkit.virtual.rehearsal import chip_for, rehearse, stand_in_keys  # noqa: PLC0415

    roster = found.roster
    if not roster.applicants:
        raise UsageError(
            "no row of the roster can be issued",
            hint="see `cardkit roster check`",
            zh="花名册中没有可以制卡的行：请用 cardkit roster check 查看原因",
        )
    if by_psam:
        check_chips([VIRTUAL], chips)
    # Without a PSAM custodians, an agent, a token: as for real cards.
    store = stand_in_keys(profile) if by_psam else open_keys(profile, "rehearsal")
    chip = chip_for(profile, chips, store)
    done = rehearse(profile, roster.applicants[0], chip, common.now(), store, photo=found.photo)
    count = len(roster.applicants)
    output.line(text("rehearsal", lang, chips=text(chips, lang)))
    output.line(done.trace)
    output.line(
        text("a_card", lang, commands=done.commands, sent=done.sent, received=done.received)
    )
    output.lines(_speeds(done, count, lang))
    output.document(_document(done, count, len(roster.rejects)))


def _speeds(done: Rehearsal, count: int, lang: Language) -> list[str]:
    return [
        text(
            "speed" if speed in done.offered else "other_speed",
            lang,
            speed=speed,
            seconds=seconds,
            rate=3600 / seconds,
            count=count,
            total=duration(seconds * count),
        )
        for speed, seconds in done.seconds.items()
    ]


def _document(done: Rehearsal, count: int, rejected: int) -> dict[str, object]:
    return {
        "commands": done.commands,
        "bytes_sent": done.sent,
        "bytes_received": done.received,
        "seconds": {str(speed): round(seconds, 3) for speed, seconds in done.seconds.items()},
        "offered": list(done.offered),
        "cards": count,
        "rejected": rejected,
    }
