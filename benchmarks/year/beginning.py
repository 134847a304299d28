"""January to March: places, people, accounts at the bank, cards from the factory."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sqlalchemy import select

from benchmarks.year.county import COUNTY, FACTORY, STORE, WINDOW
from benchmarks.year.office import Office
from cardkit.issuance import roster
from cardkit.issuance.roster.roster import IssuedCard, Roster
from cardkit.registry.exchange.exchange import Receipt
from cardkit.registry.lifecycle import Appears
from cardkit.registry.places import Places, Residence
from cardkit.registry.records import BatchInfo
from cardkit.registry.schema.cards import cards, people
from cardkit.registry.schema.exchange import exchange_rows
from cardkit.registry.stock import Order

ORDERS = 4  # in which the factory gets the county's cards
TEAMS = 6  # that go to villages
RECEIPTS = 2_000
POOL = 60  # temporary cards


def set_up(office: Office) -> None:
    """Accounts, places, partners, and what lies in the store."""
    office.employ()
    Places(office.books).load(office.county.places(), operator=office["li"])
    for partner in office.partners:
        office.exchange.partners.set(
            partner.name, recipient=partner.recipient, layouts=partner.layouts
        )
    blank = len(office.county.citizens) * 12 // 10 + 200
    office.move(Order("receive", "blank-card", STORE, count=blank))
    office.shelf["blank-card", STORE] += blank
    office.move(Order("receive", "receipt", WINDOW, "SJ000001", f"SJ{RECEIPTS:06d}"))
    office.shelf["receipt", WINDOW] += RECEIPTS
    office.move(Order("receive", "pos", COUNTY, "POS001", f"POS{TEAMS:03d}"))
    office.shelf["pos", COUNTY] += TEAMS
    pool = [f"LS{number:06d}" for number in range(1, POOL + 1)]
    office.move(Order("receive", "temporary-card", WINDOW, pool[0], pool[-1]))
    office.shelf["temporary-card", WINDOW] += POOL
    office.life.stock_pool(pool, operator=office["zhao"])


def enrol(office: Office) -> None:
    """The agency's lists, one a township; refused rows come again in a corrected one [D1]."""
    office.clock.to(1, 12)
    refused: list[str] = []
    for path in office.county.write_lists(office.folder):
        refused += _enrol(office, path)
    path = office.county.write_corrections(office.folder / "corrected.csv", refused)
    if _enrol(office, path):
        raise AssertionError("the corrected list has rows that are refused")
    Residence(office.books).assign_by_address(operator=office["li"])


def _enrol(office: Office, path: Path) -> list[str]:
    """Enrol a list, and give it back with 卡号; returns the people whose rows were refused."""
    found = roster.read(path, today=office.clock.today)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert office.rules.numbering is not None
    result = office.registry.enrol(
        found.applicants, office.rules.numbering, BatchInfo(path.name, digest, found.count)
    )
    office.tally.update(
        {
            "rows in lists": found.count,
            "rows refused": len(found.rejects),
            "people enrolled": len(result.new),
            "people named again": len(result.existing),
            "conflicts": len(result.conflicts),
        }
    )
    back = path.with_name(f"{path.stem}-return.csv")
    found.write_return(back, _numbers(office, found, result.card_ids))
    office.agency.take_list(back)
    whole = {row: found.original(row) for row in (reject.row for reject in found.rejects)}
    column = found.headings.index("身份证号码")
    wrong = {cells[column][:-1] for cells in whole.values()}
    return [one for one in office.county.mistyped if one[:-1] in wrong]


def _numbers(office: Office, found: Roster, card_ids: list[int | None]) -> dict[int, IssuedCard]:
    wanted = {card: one.row for card, one in zip(card_ids, found.applicants, strict=True) if card}
    with office.store.reading() as connection:
        rows = connection.execute(
            select(cards.c.id, cards.c.card_number).where(
                cards.c.id.between(min(wanted), max(wanted))
            )
        )
        return {wanted[row[0]]: IssuedCard(row[1]) for row in rows if row[0] in wanted}


# -- the bank [D1] ------------------------------------------------------------------------------


def open_accounts(office: Office) -> tuple[int, int]:
    """A list to the bank, its answer, and whatever it refused: corrected, in a new batch.

    Returns
    -------
    int, int
        Rows of the first list, rows that were refused.
    """
    receipt, path = office.send("bank-opening", office.bank)
    answer = office.take("bank-opening-return", office.bank.open_accounts(path), office.bank)
    office.done[office.month, "bank-open"] += answer.batch.done
    if answer.batch.failed:
        _correct(office, answer)
        again = office.exchange.reissue(receipt.batch.id, operator=office["li"])
        data = office.bank.open_accounts(office.carried(again))
        second = office.take("bank-opening-return", data, office.bank)
        office.done[office.month, "bank-open"] += second.batch.done
        if second.batch.failed:
            raise AssertionError("the bank refuses rows that were corrected")
    return receipt.batch.rows, answer.batch.failed


def _correct(office: Office, answer: Receipt) -> None:
    """The name was wrong: two people correct it, by what the police say."""
    query = (
        select(cards.c.id, people.c.citizen_number)
        .join_from(exchange_rows, cards, exchange_rows.c.card == cards.c.id)
        .join(people, cards.c.person == people.c.id)
        .where(exchange_rows.c.batch == answer.batch.id, exchange_rows.c.result == "mismatch")
    )
    with office.store.reading() as connection:
        wrong = [(row[0], row[1]) for row in connection.execute(query.order_by(cards.c.id))]
    for card, citizen in wrong:
        name = office.county.citizens[citizen].name
        office.act("change-data", card, who=Appears.NOBODY, details={"name": name})


# -- the factory [D7] ---------------------------------------------------------------------------


def make_cards(office: Office, orders: int = 1) -> tuple[int, int]:
    """Data of what is planned to the factory, in so many orders, and its return lists.

    Returns
    -------
    int, int
        Cards made, and how often one broke and was ordered again.
    """
    planned = office.registry.counts().get("planned", 0)
    made = broken = 0
    for _ in range(orders):
        receipt, path = office.send("factory-order", office.factory, -(-planned // orders))
        while True:
            few_made, few_broken = _made(office, receipt, path)
            made, broken = made + few_made, broken + few_broken
            if not few_broken:
                break
            receipt = office.exchange.reissue(receipt.batch.id, operator=office["li"])
            path = office.carried(receipt)
    return made, broken


def _made(office: Office, receipt: Receipt, path: Path) -> tuple[int, int]:
    """Blank cards go along with an order; those that are made are used, those that break spoilt."""
    count = receipt.batch.rows
    _blank(office, Order("move", "blank-card", STORE, count=count, to=FACTORY), -count, count)
    data, made, broken = office.factory.make(path)
    answer = office.take("factory-return", data, office.factory)
    if (answer.batch.done, answer.batch.failed) != (made, broken):
        raise AssertionError("the return list was not taken over as it is")
    if made:
        _blank(office, Order("use", "blank-card", FACTORY, count=made), 0, -made)
    if broken:  # what broke is set aside at the factory until it is destroyed
        order = Order("spoil", "blank-card", FACTORY, count=broken, reason="damaged")
        _blank(office, order, 0, -broken)
    return made, broken


def _blank(office: Office, order: Order, store: int, factory: int) -> None:
    office.move(order, second=order.action == "move")
    office.shelf["blank-card", STORE] += store
    office.shelf["blank-card", FACTORY] += factory
