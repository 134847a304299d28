"""Whether a key may be used like that, by its record; pure."""

from __future__ import annotations

import datetime as dt
import re

from cardkit.keys.record import USABLE, KeyRecord, Operation
from cardkit.keys.reference import Factors
from cardkit.keys.store import KeyPolicyError

_ABOVE = (re.compile(rb"\d\d0000sh"), re.compile(rb"\d{6}sx"))
"""Forms of the province and the city factor, the sources that stand above the card's own."""

BACKWARDS = dt.timedelta(minutes=5)
"""How far a clock may stand behind the last entry of the log: clocks are adjusted now and then."""


class ClockError(KeyPolicyError):
    """The clock stands before the last entry of the audit log."""


def check(
    record: KeyRecord, operation: Operation | None, factors: Factors | None, now: dt.datetime
) -> None:
    """Raise if a use is outside the policy of a key.

    Parameters
    ----------
    operation : Operation or None
        None for a derivation whose use comes later, with each answer.
    factors : Factors or None
        What is derived with; None when nothing is.
    now : datetime
        With a time zone.

    Raises
    ------
    KeyPolicyError
        One line that names the key and the rule.
    """
    _check_state(record, operation)
    _check_day(record, now.astimezone(dt.UTC).date())
    if operation is not None and operation not in record.usage:
        raise KeyPolicyError(
            f"{record} may not be used for {operation}",
            hint=f"it is for {', '.join(sorted(record.usage)) or 'nothing'}",
        )
    if factors is not None:
        _check_factors(record, factors)


def check_clock(now: dt.datetime, latest: dt.datetime | None) -> None:
    """Refuse a clock that was set back behind the last use of a key: validity hangs on it.

    Raises
    ------
    ClockError
    """
    if latest is not None and now < latest - BACKWARDS:
        raise ClockError(
            f"the clock says {now:%Y-%m-%d %H:%M}, the last use of a key was "
            f"{latest:%Y-%m-%d %H:%M}",
            hint="set the clock right; keys are not used with a clock that was set back",
        )


def _check_state(record: KeyRecord, operation: Operation | None) -> None:
    usable = USABLE.get(record.state, frozenset())
    if not usable or (operation is not None and operation not in usable):
        words = "is" if operation is None else f"may not be used for {operation}: it is"
        hint = "somebody else has to approve it" if record.state == "pre-active" else ""
        raise KeyPolicyError(f"{record} {words} {record.state}", hint=hint)


def _check_day(record: KeyRecord, day: dt.date) -> None:
    if record.valid_from and day < record.valid_from:
        raise KeyPolicyError(f"{record} is valid from {record.valid_from} only, today is {day}")
    if record.valid_until and day > record.valid_until:
        raise KeyPolicyError(f"{record} was valid until {record.valid_until}, today is {day}")


def _check_factors(record: KeyRecord, factors: Factors) -> None:
    levels = len(factors.above) + bool(factors.cards)
    if levels != record.levels:
        raise KeyPolicyError(
            f"{record} is diversified in {record.levels} levels, {levels} were asked for"
        )
    if not factors.above:
        return
    for form, factor in zip(_ABOVE[-len(factors.above) :], factors.above, strict=True):
        if not form.fullmatch(factor):
            raise KeyPolicyError(
                f"{record} is diversified by province, city and card, not by other factors",
                hint="check [region] of the profile",
            )
