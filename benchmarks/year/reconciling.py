"""Does every count agree? What the story shows at its end."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.year import others, within
from benchmarks.year.comparing import Check, Question
from benchmarks.year.december import Closing
from benchmarks.year.office import Office


def reconcile(office: Office, closing: Closing) -> list[Check]:
    """Every check of the year."""
    with office.store.reading(snapshot=True) as connection:
        found = Question(connection)
        checks = [
            *others.lists(office, found),
            *others.bank(office, found),
            *others.factory(office, found),
            *others.lots(office, found),
            *others.partners(office, found),
            *within.states(office, found, closing),
            *within.numbers(office, found),
            *within.money(office, found),
            *within.statistics(office, found, closing),
            *within.corrected(office, found),
        ]
    checks += within.stock(office, closing)
    checks += within.dead(office)
    checks += within.chain(office)
    return checks


def show(checks: Iterable[Check]) -> None:
    """Print them; a difference is marked."""
    for check in checks:
        if check.agrees:
            print(f"  agrees      {check.what}: {_short(check.registry)}")
        else:
            print(f"  DIFFERENCE  {check.what}: {_short(check.registry)} / {_short(check.others)}")


def _short(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {count:,}" for key, count in sorted(value.items()))
    return f"{value:,}" if isinstance(value, int) else str(value)
