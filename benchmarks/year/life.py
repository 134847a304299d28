"""July to November: what happens to cards, people and money, month by month."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import select

from benchmarks.year.beginning import make_cards, open_accounts
from benchmarks.year.county import WINDOW, Citizen, share
from benchmarks.year.handing_out import open_later, township_day
from benchmarks.year.office import YEAR, Office
from cardkit.registry.exchange.proposals import Proposals
from cardkit.registry.forms import Kind, NumberedForm, gathering
from cardkit.registry.forms.sources import Desk
from cardkit.registry.lifecycle import Act, Agent, Appears
from cardkit.registry.places import Residence
from cardkit.registry.schema.cards import cards
from cardkit.registry.schema.life import successions, temporary_cards
from cardkit.registry.stock import Order

MONTHS = (7, 8, 9, 10, 11)
# Shares of the people, each month.
LOST_BY_PHONE, LOST = 0.0036, 0.0027
FOUND_IN_TIME, MADE_FORMAL = 0.3, 0.35  # of those by phone; the rest lapses
FOUND_AFTER = 0.12  # of those lost in form
DAMAGED, WRONG_FACE = 0.0005, 0.0001
FROZEN, SUSPENDED = 0.001, 0.0002
MOVED_AWAY, CANCELLED, DIED, MOVED = 0.0002, 0.0002, 0.001, 0.0003
UNLOCKED, RESET, BANK_PIN = 0.0005, 0.0002, 0.0002
BORROWED = 0.0001
LOST_AGAIN = 0.0001
BY_AGENT = 0.1  # of those who report a loss

Cards = list[tuple[int, Citizen]]


def month(office: Office, number: int) -> None:
    """One month of a county."""
    office.clock.to(number, 2)
    open_later(office)
    _grow_up(office)
    chosen = _Chooser(office)
    _temporary_cards(office, chosen)
    by_phone, at_window, again = _lose(office, chosen)
    _small_things(office, chosen)
    office.clock.to(number, 8)
    lost = _find_or_confirm(office, by_phone) + at_window + again
    _stop_and_release(office, chosen)
    office.clock.to(number, 12)
    _bank_hears(office, lost, number)
    _replace(office, lost)
    _exchange(office, chosen)
    office.clock.to(number, 16)
    _leave(office, chosen)
    office.clock.to(number, 21)
    office.tally["lapsed"] += office.life.lapse()
    open_accounts(office)
    make_cards(office)
    office.agency.take_changes(office.send("card-number-delta", office.agency)[1])
    office.clock.to(number, 26)
    for at, township in enumerate(office.county.townships):
        township_day(office, township, at)


class _Chooser:
    """Gives active cards by chance, each to one purpose a month."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._count = len(office.county.citizens)
        free = office.cards_in("active", bank="active")
        office.county.rng.shuffle(free)
        self._free = free

    def some(self, part: float) -> Cards:
        """So many of the people as a share says."""
        wanted = share(self._count, part)
        taken, self._free = self._free[:wanted], self._free[wanted:]
        return taken

    def those(self, fits: Callable[[int], bool], part: float) -> Cards:
        """The same, of cards that fit."""
        taken = [one for one in self._free if fits(one[0])][: share(self._count, part)]
        gone = {card for card, _ in taken}
        self._free = [one for one in self._free if one[0] not in gone]
        return taken


# -- lost, found, replaced [D12]-[D14] ----------------------------------------------------------


def _lose(office: Office, chosen: _Chooser) -> tuple[Cards, Cards, Cards]:
    """By phone, at the window, and by people who had a card replaced before."""
    by_phone, at_window = chosen.some(LOST_BY_PHONE), chosen.some(LOST)
    with office.store.reading() as connection:
        seconds = set(
            connection.execute(
                select(successions.c.new_card).where(successions.c.action == "replace")
            ).scalars()
        )
    again = chosen.those(seconds.__contains__, LOST_AGAIN)
    for card, _ in by_phone:
        office.act("report-loss-temporary", card, channel="phone")
    for card, one in [*at_window, *again]:
        agent = _agent(office, one) if office.county.rng.random() < BY_AGENT else None
        who = Appears.AGENT if agent else Appears.HOLDER
        office.act("report-loss", card, who=who, agent=agent)
    return by_phone, at_window, again


def _agent(office: Office, holder: Citizen) -> Agent:
    other = office.county.rng.choice(list(office.county.citizens))
    if other == holder.number:
        return Agent("李代办", "639900197001011234", relation="friend")
    one = office.county.citizens[other]
    return Agent(one.name, one.number, one.phone, "family")


def _find_or_confirm(office: Office, by_phone: Cards) -> Cards:
    """Of the losses by phone some are found again, some reported in form, the rest lapses."""
    found = round(len(by_phone) * FOUND_IN_TIME)
    formal = round(len(by_phone) * MADE_FORMAL)
    for card, _ in by_phone[:found]:
        office.act("find", card)
    for card, _ in by_phone[found : found + formal]:
        office.act("report-loss", card)
    return by_phone[found : found + formal]


def _bank_hears(office: Office, lost: Cards, number: int) -> None:
    """The bank's own list of lost cards; each side is shown the other's state."""
    of_card = dict(office.cards_in("lost", bank="active"))
    known = {citizen: account for account, citizen in office.bank.accounts.items()}
    told = [(of_card[card].number, known[of_card[card].number]) for card, _ in lost
            if card in of_card]  # fmt: skip
    now = f"{YEAR}{number:02d}11090000"
    data = office.bank.report_losses(told, f"{number}", now)
    receipt = office.take("loss-report", data, office.bank)
    office.done[office.month, "bank-report-loss"] += receipt.batch.done
    office.tally["losses refused"] += receipt.batch.failed


def _replace(office: Office, lost: Cards) -> None:
    """Some are found again after all; the others get a new card with a new number."""
    found = round(len(lost) * FOUND_AFTER)
    for card, _ in lost[:found]:
        office.act("find", card)
        office.act("bank-find", card)
    for card, _ in lost[found:]:
        _receipt(office, office.act("replace", card))


def _exchange(office: Office, chosen: _Chooser) -> None:
    """Damaged cards, and wrong faces."""
    for card, _ in chosen.some(DAMAGED):
        _receipt(office, office.act("exchange", card, reason="damaged"))
    for card, _ in chosen.some(WRONG_FACE):
        office.act("remake", card, reason="face")


def _grow_up(office: Office) -> None:
    """Children who are children no more come for the card of an adult."""
    outgrown = office.life.outgrown(office.clock.today)
    states = office.registry.states(outgrown)
    for card in outgrown:
        if states[card] == "active":
            _receipt(office, office.act("exchange", card, reason="kind"))
            office.tally["grown up"] += 1


def _receipt(office: Office, act: Act) -> None:
    """Whoever pays gets a receipt on the next numbered form [D9]."""
    if act.fee + act.deposit == 0:
        return
    office.tally["receipts"] += 1
    number = f"SJ{office.tally['receipts'] + office.tally['receipts spoilt']:06d}"
    if office.tally["receipts"] % 25 == 3:  # misprinted: the next one
        office.move(Order("spoil", "receipt", WINDOW, number, reason="misprinted"), by="zhao")
        office.tally["receipts spoilt"] += 1
        number = f"SJ{int(number[2:]) + 1:06d}"
    with office.store.reading() as connection:
        gathered = gathering.gather(
            connection, Desk(office.rules, "测试县社会保险局"), Kind.RECEIPT,
            gathering.Wish(act=act.act_id), login="zhao", now=office.store.now(),
        )  # fmt: skip
    office.forms.make(
        Kind.RECEIPT, gathered.content, subject=gathered.subject, operator=office["zhao"],
        card_id=gathered.card_id, form=NumberedForm(number, WINDOW),
    )  # fmt: skip
    office.shelf["receipt", WINDOW] -= 1


# -- stopped, released, ended [D15] [D16] -------------------------------------------------------


def _stop_and_release(office: Office, chosen: _Chooser) -> None:
    """Last month's list is released for the most part; terminals hear of both."""
    frozen = [card for card, _ in office.cards_in("frozen")]
    office.many("unfreeze", frozen[: len(frozen) * 2 // 3])
    suspended = [card for card, _ in office.cards_in("suspended")]
    office.many("release", suspended)
    office.many("freeze", _ids(chosen.some(FROZEN)), reason="list")
    office.many("suspend", _ids(chosen.some(SUSPENDED)), reason="list")
    _blacklist(office)


def _blacklist(office: Office) -> None:
    first = not office.terminals.said
    layout = "blacklist-full" if first else "blacklist-delta"
    _, path = office.send(layout, office.terminals)
    office.terminals.take(path, layout)


def _leave(office: Office, chosen: _Chooser) -> None:
    """Some move away, some give their card up in three visits, some die, some move house."""
    for card, _ in chosen.some(MOVED_AWAY):
        office.act("bank-close", card)
        office.act("transfer", card)
    for card, _ in chosen.some(CANCELLED):
        office.act("cancel", card)
        office.act("cancel-bank", card, channel="bank")
        office.act("cancel-finish", card)
    changed_their_mind = chosen.some(CANCELLED / 4)
    for card, _ in changed_their_mind:
        office.act("cancel", card)
        office.act("cancel-withdraw", card)
    office.many("end", _ids(chosen.some(DIED)), who=Appears.NOBODY, reason="death")
    moved = chosen.some(MOVED)
    rows = []
    for card, one in moved:
        one.place = office.county.rng.choice(list(office.county.villages))
        one.address = office.county.address(one.place) + "新居"
        office.act("change-data", card, who=Appears.HOLDER, details={"address": one.address})
        rows.append(("citizen_number", one.number, one.place))
    Residence(office.books).assign(rows, operator=office["li"], moving=True)


# -- at the window ------------------------------------------------------------------------------


def _small_things(office: Office, chosen: _Chooser) -> None:
    """PINs of both sides [D18]: the holder, in person."""
    for card, _ in chosen.some(UNLOCKED):
        done = office.act("unlock-pin", card)
        office.life.chip_done(done.act_id, operator=office["zhao"])
    for card, _ in chosen.some(RESET):
        done = office.act("reset-pin", card)
        office.life.chip_done(done.act_id, operator=office["zhao"])
    for at, (card, _) in enumerate(chosen.some(BANK_PIN)):
        office.act("bank-pin-lock", card, who=Appears.NOBODY, channel="bank")
        if at % 2:
            office.act("bank-pin-unlock", card)
        else:
            office.act("bank-pin-loss", card)
            office.act("bank-pin-reset", card)


def _temporary_cards(office: Office, chosen: _Chooser) -> None:
    """They come back with their deposit's receipt, are wiped and lent again; one is lost [D10]."""
    out = _pool(office, "out")
    for at, number in enumerate(out):
        if at == 0 and office.clock.today.month == MONTHS[2]:
            office.act("temporary-lost", number, who=Appears.NOBODY)
            continue
        _receipt(office, office.act("temporary-back", number))
        office.act("temporary-wipe", number)
        office.shelf["temporary-card", WINDOW] += 1
    for number, (card, _) in zip(_pool(office, "pool"), chosen.some(BORROWED), strict=False):
        with office.store.reading() as connection:
            person = connection.execute(
                select(cards.c.person).where(cards.c.id == card)
            ).scalar_one()
        _receipt(office, office.act("temporary-out", number, details={"person": str(person)}))
        office.shelf["temporary-card", WINDOW] -= 1


def _pool(office: Office, state: str) -> list[int]:
    with office.store.reading() as connection:
        table = temporary_cards.c
        query = select(table.id).where(table.state == state).order_by(table.id)
        return list(connection.execute(query).scalars())


# -- the police's data win [D17] ----------------------------------------------------------------


def compare(office: Office) -> int:
    """The yearly comparison: each proposal is accepted; a changed name wants a new card."""
    county = office.county
    living = office.cards_in("active")
    for _, one in county.rng.sample(living, share(len(living), 0.003)):
        one.nation = "04" if one.nation != "04" else "03"
    for _, one in county.rng.sample(living, share(len(living), 0.0005)):
        one.name = one.name[:1] + ("安" if one.name[1:] != "安" else "宁")
    data = office.police.everybody(list(county.citizens.values()), f"{YEAR}", f"{YEAR}1101")
    receipt = office.take("comparison-police", data, office.police)
    found = office.police.differences(office.carried(receipt, "reply"))
    room, li = Proposals(office.books, office.exchange), office["li"]
    remade: dict[int, None] = {}
    for proposal in room.all("open"):
        card = proposal.card or 0
        approval = office.approve("change-data", card, li)
        act = room.accept(proposal.id, life=office.life, operator=li, approval=approval)
        office.done[office.month, "change-data"] += 1
        if act.follow_up == "remake":
            remade[card] = None
    for card in remade:
        office.act("remake", card, reason="name")
    office.tally["differences corrected"] += len(found)
    return len(found)


def _ids(some: Sequence[tuple[int, Citizen]]) -> list[int]:
    return [card for card, _ in some]
