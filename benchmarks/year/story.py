"""The story: January to December, chapter by chapter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.year import beginning, december, handing_out, life
from benchmarks.year.comparing import Check
from benchmarks.year.county import County
from benchmarks.year.measuring import Meter
from benchmarks.year.office import Clock, Office
from benchmarks.year.reconciling import reconcile
from cardkit.registry.registry import Registry

SPRING = ((4, 1), (4, 15), (5, 4), (5, 18), (6, 1), (6, 15))
"""Days on which the teams set out for the next townships."""


def tell(
    url: str,
    folder: Path,
    *,
    people: int,
    villages: int,
    meter: Meter,
    afterwards: Callable[[Office, december.Closing], None] | None = None,
) -> list[Check]:
    """A year in an empty registry; returns what was compared at its end.

    Parameters
    ----------
    folder : Path
        For files that are on their way.
    afterwards : callable, optional
        Called before the registry is closed.
    """
    with meter.chapter("the county is invented"):
        county, clock = County(people, villages), Clock()
    with Registry.open(url, clock=clock, actor="county") as registry:
        office = Office(registry, clock, county, folder)
        _spring(office, meter)
        _months(office, meter)
        with meter.chapter("December: closing") as told:
            closing = december.close(office)
            told.append(f"{closing.bound:,} people in {len(closing.volumes):,} volumes")
        with meter.chapter("December: reconciliation") as told:
            checks = reconcile(office, closing)
            told.append(f"{len(checks)} counts")
        if afterwards:
            afterwards(office, closing)
    return checks


def _spring(office: Office, meter: Meter) -> None:
    with meter.chapter("January: places, people who work"):
        beginning.set_up(office)
    with meter.chapter("January: lists enrolled") as told:
        beginning.enrol(office)
        told.append(f"{office.tally['rows in lists']:,} rows")
    with meter.chapter("February: accounts at the bank") as told:
        office.clock.to(2, 2)
        rows, refused = beginning.open_accounts(office)
        told.append(f"{rows:,} rows, {refused:,} refused and sent again")
    with meter.chapter("March: cards from the factory") as told:
        office.clock.to(3, 2)
        made, broken = beginning.make_cards(office, beginning.ORDERS)
        told.append(f"{made:,} made, {broken:,} broken and made again")
    with meter.chapter("April: employers") as told:
        office.clock.to(4, 1)
        told.append(f"{handing_out.employers(office):,} cards")
    with meter.chapter("April to June: village days") as told:
        lots = handed = 0
        for at, township in enumerate(office.county.townships):
            office.clock.to(*SPRING[at * len(SPRING) // len(office.county.townships)])
            few_lots, few = handing_out.village_days(office, township, lots)
            lots, handed = lots + few_lots, handed + few
        told.append(f"{lots} lots, {handed:,} cards")
    with meter.chapter("June: township offices") as told:
        office.clock.to(6, 22)
        towns = enumerate(office.county.townships)
        handed = sum(handing_out.township_day(office, town, at) for at, town in towns)
        told.append(f"{handed:,} cards")


def _months(office: Office, meter: Meter) -> None:
    for number in life.MONTHS:
        with meter.chapter(f"{_NAMES[number]}: a month of life") as told:
            before = sum(office.done.values())
            if number == life.MONTHS[-1]:
                office.clock.to(number, 1)
                told.append(f"{life.compare(office):,} differences with the police")
            life.month(office, number)
            told.append(f"{sum(office.done.values()) - before:,} acts")


_NAMES = {7: "July", 8: "August", 9: "September", 10: "October", 11: "November"}
