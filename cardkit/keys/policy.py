"""Whether a key may be used like that, by its record; pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

from cardkit.keys.record import USABLE, KeyRecord, KeyState, Operation
from cardkit.keys.reference import Factors
from cardkit.keys.store import KeyPolicyError

_ABOVE = (re.compile(rb"\d\d0000sh"), re.compile(rb"\d{6}sx"))
"""Forms of the province and the city factor, the sources that stand above the card's own."""

BACKWARDS = dt.timedelta(minutes=5)
"""How far a clock may stand behind the latest entry of the log: it is adjusted now and then."""


class ClockError(KeyPolicyError):
    """The clock stands before the latest entry of the audit log."""


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
    """Refuse a clock that was set back behind the latest use of a key: validity hangs on it.

    Parameters
    ----------
    latest : datetime or None
        Latest instant of the whole log, `AuditLog.latest_instant`: a refusal, which is an entry
        too, does not lower it.

    Raises
    ------
    ClockError
    """
    if latest is not None and now < latest - BACKWARDS:
        raise ClockError(
            f"the clock says {now:%Y-%m-%d %H:%M}, the latest entry of the log was at "
            f"{latest:%Y-%m-%d %H:%M}",
            hint="set the clock right; if it was the earlier time that was wrong, whoever approves "
            "keys says so with `accept-clock`",
            zh=f"时钟为 {now:%Y-%m-%d %H:%M}，早于审计日志中的 {latest:%Y-%m-%d %H:%M}："
            "请校准时钟；若原先的时间有误，由审批人执行 accept-clock",
        )


def newest(records: Iterable[KeyRecord], now: dt.datetime) -> KeyRecord:
    """The version that is meant when none is named: the newest that can be used now.

    A version whose time has not come, or has gone, stands back behind one that is valid, a retired
    one behind an active one. Where none can be used, the one whose refusal tells most.

    Raises
    ------
    ValueError
        No records.
    """
    day = now.astimezone(dt.UTC).date()

    def rank(record: KeyRecord) -> tuple[bool, bool, bool, bool, int]:
        active, usable = record.state is KeyState.ACTIVE, record.state in USABLE
        valid = in_time(record, day)
        return active and valid, usable and valid, active, usable, record.version

    return max(records, key=rank)


def in_time(record: KeyRecord, day: dt.date) -> bool:
    """Whether a key is valid on a day (UTC)."""
    begun = record.valid_from is None or day >= record.valid_from
    return begun and (record.valid_until is None or day <= record.valid_until)


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
