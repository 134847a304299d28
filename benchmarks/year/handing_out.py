"""Cards reach their holders: village days, townships, employers; what is left comes back [D11]."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from benchmarks.year.beginning import TEAMS
from benchmarks.year.county import EMPLOYERS
from benchmarks.year.office import Office
from cardkit.registry.lifecycle import Appears
from cardkit.registry.lots import Clerk, Lot, Pack
from cardkit.registry.lots.files import read_outcome, read_pack
from cardkit.registry.lots.taking_down import take_down

ABSENT = 0.02  # on a village day
STILL_ABSENT = 0.3  # when the township tries again
BY_AGENT = 0.003
LATER = 0.08  # open their card at a hospital, or by phone
_EVERY = 20  # lots: in each twenty, one with each sort of trouble
FROZEN, TWICE, LOST = 1, 2, 3  # which of them


def employers(office: Office) -> int:
    """Each employer's clerk fetches the cards of its people, who open them by stamped list."""
    handed = 0
    by_employer: dict[str, list[int]] = {f"E{n}": [] for n in range(1, EMPLOYERS + 1)}
    for card, one in office.cards_in("issued"):
        if one.employer:
            by_employer[one.employer].append(card)
    for code, some in by_employer.items():
        if not some:
            continue
        lot = office.lots.pack(code, "employer", operator=office["li"], card_ids=some)
        office.tally.update({"lots": 1, "cards in lots": lot.count})
        approval = office.approve("lot-pick-up", lot.lot_id, office["li"])
        clerk = Clerk(f"{code}专管员", "639900197001011235")
        office.lots.pick_up(lot.lot_id, clerk, operator=office["li"], approval=approval)
        met = {"appeared": "employer", "papers": "stamped-list"}
        rows = [(position, "handed", met) for position in range(1, lot.count + 1)]
        _merge(office, _pack(office, lot), rows, vouched=True)
        office.lots.back(lot.lot_id, [], operator=office["li"])
        office.lots.close(lot.lot_id, operator=office["li"])
        office.many("open", some, who=Appears.EMPLOYER, channel="employer")
        office.many("bank-activate", some, who=Appears.NOBODY, channel="file")
        handed += lot.count
    return handed


def village_days(office: Office, township: str, first: int) -> tuple[int, int]:
    """Every village of a township has its day, and the township office the day after.

    Parameters
    ----------
    first : int
        How many lots went before: each twentieth has a trouble of its own.

    Returns
    -------
    int, int
        Lots, and cards that were handed out.
    """
    packed = office.lots.pack_villages(township, operator=office["li"])
    handed = 0
    for at, lot in enumerate(packed, first):
        handed += _day(office, lot, at, ABSENT)
    return len(packed), handed


def township_day(office: Office, township: str, number: int) -> int:
    """What is left in the office for a township: those who were absent, replaced cards."""
    waiting = office.cards_in("issued", place=township)
    if not waiting:
        return 0
    lot = office.lots.pack(township, "township", operator=office["li"])
    return _day(office, lot, number * _EVERY, STILL_ABSENT)


def _day(office: Office, lot: Lot, number: int, absent: float) -> int:
    """A lot goes out, its outcome comes back with a network or without; returns what was handed."""
    rng, trouble = office.county.rng, number % _EVERY
    _take_out(office, lot, machine=f"POS{number % TEAMS + 1:03d}")
    pack = _pack(office, lot)
    positions = [card.position for card in pack.cards]
    away = set(rng.sample(positions, min(round(lot.count * absent) or 1, lot.count - 1)))
    there = [position for position in positions if position not in away]
    missing = {there.pop()} if trouble == LOST and len(there) > 1 else set[int]()
    card_at = {card.position: card.card_id for card in pack.cards}
    stopped = [card_at[there[0]]] if trouble == FROZEN else []
    office.many("freeze", stopped, channel="window", reason="inspection")
    rows = list(_written_down(office, pack, there))
    rows += [(position, "returned", {}) for position in sorted(away)]
    if trouble == TWICE:
        rows.append((there[0], "returned", {}))
    without_network = number % 2 == 1
    if not without_network:
        _merge(office, pack, rows)
    office.lots.back(lot.lot_id, sorted(away), operator=office["li"])
    if without_network:
        _merge(office, pack, rows)
    _close(office, lot, missing)
    handed = [card_at[position] for position in there if card_at[position] not in stopped]
    _open(office, handed)
    _settle(office, stopped, [card_at[position] for position in missing])
    return len(handed)


def _take_out(office: Office, lot: Lot, machine: str = "") -> None:
    """One carries the cards, the other the machine (卡机分离)."""
    office.lots.out(
        lot.lot_id, operator=office["li"], card_carrier="zhao", machine_carrier="qian",
        machine=machine,
    )  # fmt: skip
    office.tally.update({"lots": 1, "cards in lots": lot.count})


def _pack(office: Office, lot: Lot) -> Pack:
    """The pack as the machine in the village has it: a file."""
    return read_pack(office.lots.pack_file(lot.lot_id).to_json(full=True))


def _written_down(
    office: Office, pack: Pack, there: Sequence[int]
) -> Iterator[tuple[int, str, dict[str, str]]]:
    """Who fetched each card; some send an agent, whose number is written down too."""
    rng = office.county.rng
    neighbours = [card.citizen_number for card in pack.cards]
    for position in there:
        if rng.random() >= BY_AGENT or position == 1:
            yield position, "handed", {}
            continue
        agent = office.county.citizens[neighbours[position - 2]]
        yield position, "handed", {
            "appeared": "agent", "agent_name": agent.name, "agent_number": agent.number,
            "agent_phone": agent.phone, "relation": "neighbour",
        }  # fmt: skip


def _merge(
    office: Office,
    pack: Pack,
    rows: Sequence[tuple[int, str, dict[str, str]]],
    *,
    vouched: bool = False,
) -> None:
    """What was written down → sealed outcome → registry; the same file twice changes nothing."""
    file = io.StringIO(newline="")
    names = ("position", "outcome", "appeared", "papers", "agent_name", "agent_number",
             "agent_phone", "relation")  # fmt: skip
    writer = csv.DictWriter(file, names)
    writer.writeheader()
    for position, what, more in rows:
        writer.writerow({"position": position, "outcome": what, **more})
    outcome = read_outcome(take_down(pack, file.getvalue()).to_json())
    approval = None
    if vouched:  # an employer handed them out: a second person compares the stamped list
        approval = office.approve("lot-merge", outcome.subject(), office["zhao"])
    result = office.lots.merge(outcome, operator=office["zhao"], approval=approval)
    again = office.lots.merge(outcome, operator=office["zhao"])
    if not again.again:
        raise AssertionError("an outcome file was merged twice")
    stuck = sum(conflict.kind in ("state", "refused") for conflict in result.conflicts)
    office.tally.update(
        {"handed by lots": result.handed, "not followed": stuck,
         "conflicts of lots": len(result.conflicts)}
    )  # fmt: skip
    office.done[office.month, "hand-out"] += result.handed - stuck


def _close(office: Office, lot: Lot, missing: set[int]) -> None:
    if not missing:
        office.lots.close(lot.lot_id, operator=office["li"])
        return
    approval = office.approve("lot-close", lot.lot_id, office["li"])
    office.lots.close(
        lot.lot_id, operator=office["li"], minutes=f"JL{lot.lot_id}", approval=approval
    )
    office.tally["cards missing"] += len(missing)


def _open(office: Office, handed: Sequence[int]) -> None:
    """Most open their card on the spot; the bank activates its side by its own list."""
    rng = office.county.rng
    now = [card for card in handed if rng.random() >= LATER]
    office.many("open", now, who=Appears.HOLDER, channel="village")
    office.many("bank-activate", now, who=Appears.NOBODY, channel="file")


def _settle(office: Office, stopped: Sequence[int], missing: Sequence[int]) -> None:
    """The card was stopped at the centre while its holder got it; another one is nowhere."""
    for card in stopped:
        office.act("unfreeze", card)
        office.act("hand-out", card)
    for card in missing:
        office.act("remake", card, who=Appears.NOBODY, reason="missing")


def open_later(office: Office) -> int:
    """Whoever has not: half by 12333, half at their first visit to a hospital."""
    waiting = [card for card, _ in office.cards_in("handed_out")]
    half = len(waiting) // 2
    office.many("open", waiting[:half], who=Appears.HOLDER, channel="phone")
    office.many("open", waiting[half:], who=Appears.HOLDER, channel="hospital")
    opened = {card for card, _ in office.cards_in("active", bank="opened")}
    office.many("bank-activate", sorted(opened & set(waiting)), who=Appears.NOBODY, channel="file")
    return len(waiting)
