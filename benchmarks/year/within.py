"""The registry beside itself: states, numbers, money, stock, statistics, history."""

from __future__ import annotations

import json
from collections import Counter

from sqlalchemy import func, select

from benchmarks.year.beginning import POOL, RECEIPTS
from benchmarks.year.comparing import Check, Checks, Question, count_of, digest
from benchmarks.year.county import COUNTY, FACTORY, STORE, WINDOW
from benchmarks.year.december import STOLEN, Closing
from benchmarks.year.office import Office
from cardkit.registry.errors import IllegalMoveError
from cardkit.registry.schema.cards import cards, chips, history, people
from cardkit.registry.schema.exchange import proposals
from cardkit.registry.schema.forms import documents
from cardkit.registry.schema.inspection import volume_people
from cardkit.registry.schema.life import (
    acts,
    charges,
    corrections,
    successions,
    temporary_cards,
    temporary_loans,
)
from cardkit.registry.states import DEAD, LIVE_CHIP
from cardkit.registry.statistics.tables import MEASURES

_DEAD = [state.value for state in DEAD]
_EVERY = 23  # dead cards: one in so many is tried


def states(office: Office, found: Question, closing: Closing) -> Checks:
    """Cards by state: rows, sums of everything that was done, statistics, the answered file."""
    standing = found.by(select(cards.c.state, func.count()).group_by(cards.c.state))
    yield Check("states: cards, everything that was done", standing, _added_up(office, found))
    measures = zip(closing.standing.measures, closing.standing.totals, strict=True)
    yield Check("states: cards, statistics", standing, {k: v for k, v in measures if v})
    living = {state: count for state, count in standing.items() if state not in _DEAD}
    answered = {state: count for state, count in closing.answered.items() if state}
    yield Check("living cards: registry, what the agency was answered", living, answered)
    asked = office.agency.said["asked"]
    yield Check(
        "the agency's question: rows asked, answered", asked, sum(closing.answered.values())
    )
    nobody = len(office.county.citizens) - sum(living.values())
    yield Check("people without a living card", closing.answered.get("", 0), nobody)
    gone = sum(standing.get(state, 0) for state in ("cancelled", "transferred", "ended"))
    yield Check("people without a living card: cancelled, moved away, died", nobody, gone)


def _added_up(office: Office, found: Question) -> dict[str, int]:
    """Cards by state: what lists and successions planned, and where acts and files led."""
    total: Counter[str] = Counter(planned=office.tally["people enrolled"])
    total["planned"] += found.count(successions)
    card_acts = (acts.c.subject == "card", acts.c.result == "done")
    lapses = (history.c.action == "lapse",)
    for table, conditions in ((acts, card_acts), (history, lapses)):
        for column, sign in ((table.c.from_state, -1), (table.c.to_state, 1)):
            query = select(column, func.count()).where(*conditions).group_by(column)
            for state, count in found.by(query).items():
                total[state] += sign * count
    said = office.factory.said
    orders = said["factory-order received"]
    total["planned"] -= orders - said["broken"]  # what broke is ordered out of "failed"
    total["issued"] += said["made"]
    return {state: count for state, count in total.items() if count}


def numbers(office: Office, found: Question) -> Checks:
    """Nothing twice, and nobody with two."""
    living = cards.c.state.not_in(_DEAD)
    twice = select(cards.c.person).where(living).group_by(cards.c.person).having(func.count() > 1)
    yield Check("people with two living cards", found.one(count_of(twice)), 0)
    everybody = found.count(cards)
    for column in (cards.c.card_number, cards.c.card_id_code):
        different = found.one(select(func.count(column.distinct())))
        yield Check(f"no {column.name} twice", different, everybody)
    accounts = select(func.count(cards.c.bank_card_number.distinct()))
    with_one = cards.c.bank_card_number != ""
    yield Check(
        "no bank card number twice",
        found.one(accounts.where(with_one)),
        found.count(cards, with_one),
    )
    replaced = found.count(cards, cards.c.state == "replaced")
    yield Check("replaced cards have one that follows", replaced, found.count(successions))
    on_dead = (
        select(chips.c.id)
        .join_from(chips, cards, chips.c.card == cards.c.id)
        .where(cards.c.state.in_(_DEAD), chips.c.state.in_([state.value for state in LIVE_CHIP]))
    )
    yield Check("dead cards on living chips", found.one(count_of(on_dead)), 0)
    yield Check("cards = people + replaced", everybody, len(office.county.citizens) + replaced)


def money(office: Office, found: Question) -> Checks:
    """Charges, receipts, deposits."""
    tally, cash, charge = office.tally, office.cash, charges.c
    paid = found.by(
        select(charge.kind, func.sum(charge.amount))
        .where(charge.state == "paid")
        .group_by(charge.kind)
    )
    fees = sum(cash[action] for action in ("replace", "exchange", "remake"))
    theirs = {"fee": fees, "deposit": cash["temporary-out"], "refund": -cash["temporary-back"]}
    yield Check(
        "fen: charges, cash box", paid, {kind: sum_ for kind, sum_ in theirs.items() if sum_}
    )
    receipts = documents.c.kind == "receipt"
    yield Check(
        "receipts: papers, charges",
        found.count(documents, receipts),
        found.count(charges, charge.state == "paid"),
    )
    yield Check(
        "receipts: papers, handed over", found.count(documents, receipts), tally["receipts"]
    )
    papers: Counter[bool] = Counter()
    for content, _ in found.rows(select(documents.c.content, documents.c.number).where(receipts)):
        paper = json.loads(content)
        papers[paper["back"]] += round(float(paper["total"]) * 100)
    told = {"taken": papers[False], "given back": papers[True]}
    taken = paid.get("fee", 0) + paid.get("deposit", 0)
    in_charges = {"taken": taken, "given back": paid.get("refund", 0)}
    yield Check("fen: totals on receipts, charges", told, in_charges)
    served = sum(count for (_, act), count in office.done.items() if act in ("replace", "exchange"))
    paying = found.count(charges, charge.kind == "fee", charge.state == "paid")
    waived = found.count(charges, charge.kind == "fee", charge.state == "waived")
    yield Check("fees: paid + waived, replaced + exchanged", paying + waived, served)
    loan = temporary_loans.c
    loans = found.by(select(loan.ended, func.sum(loan.deposit)).group_by(loan.ended))
    yield Check(
        "deposits: loans that are not back, paid less given back",
        loans.get("", 0) + loans.get("lost", 0),
        theirs["deposit"] - theirs["refund"],
    )
    pool = found.by(select(temporary_cards.c.state, func.count()).group_by(temporary_cards.c.state))
    yield Check("temporary cards", sum(pool.values()), POOL)
    out = found.count(temporary_loans, temporary_loans.c.back_at == "")
    yield Check("temporary cards that are out: cards, loans", pool.get("out", 0), out)


def statistics(office: Office, found: Question, closing: Closing) -> Checks:
    """Statistics, archive and inspection."""
    table = closing.by_month
    months: Counter[tuple[str, str]] = Counter()
    for _, _, month, counts in table.rows:
        for measure, count in zip(table.measures, counts, strict=True):
            months[month, measure] += count
    of_action = {action: name for name, (_, some) in MEASURES.items() for action in some}
    done: Counter[tuple[str, str]] = Counter()
    for (month, action), count in office.done.items():
        if action in of_action:
            done[month, of_action[action]] += count
    counted = {key: count for key, count in months.items() if count and key[1] != "made"}
    yield Check("statistics by month and measure, what people did", digest(counted), digest(done))
    made = sum(count for (_, measure), count in months.items() if measure == "made")
    yield Check("statistics: made, factory", made, office.factory.said["made"])
    acted = found.by(
        select(acts.c.action, func.count()).where(acts.c.result == "done").group_by(acts.c.action)
    )
    told: Counter[str] = Counter()
    for (_, action), count in office.done.items():
        told[action] += count
    yield Check("acts by action, what people did", acted, dict(told))
    yield Check(
        "archive: people in volumes", found.count(volume_people), len(office.county.citizens)
    )
    yield Check("archive: bound, listed", closing.bound, sum(v.people for v in closing.volumes))
    full = sum(volume.people > 100 for volume in closing.volumes)
    yield Check("archive: volumes of more than a hundred", full, 0)
    again = "again" if closing.drawn_again else "another"
    yield Check("inspection: the sample, drawn once more", again, "again")
    said = sum(item.result != "" for item in closing.sample.items)
    yield Check("inspection: results", said, len(closing.sample.items))


def corrected(office: Office, found: Question) -> Checks:
    """Data changes, and what lapsed."""
    tally = office.tally
    yield Check(
        "police: differences found, corrected",
        found.count(proposals),
        tally["differences corrected"],
    )
    still_open = found.count(proposals, proposals.c.state != "accepted")
    yield Check("police: proposals that are not accepted", still_open, 0)
    kept = found.count(corrections, corrections.c.source != "")
    changes = sum(count for (_, action), count in office.done.items() if action == "change-data")
    yield Check("data changes: kept with what they changed", kept, changes)
    names = dict(found.rows(select(people.c.citizen_number, people.c.name)))
    truth = {one.number: one.name for one in office.county.citizens.values()}
    yield Check("names: registry, police", digest(names), digest(truth))
    lapsed = found.count(history, history.c.action == "lapse")
    yield Check("temporary losses that lapsed", lapsed, tally["lapsed"])


def stock(office: Office, closing: Closing) -> Checks:
    """Books, moves and shelves."""
    yield Check("stock: books that contradict themselves", len(office.stock.verify()), 0)
    held: Counter[tuple[str, str]] = Counter()
    ends: Counter[tuple[str, str]] = Counter()
    for line in office.stock.balance():
        ends[line.kind, line.state] += line.count
        if line.state == "held":
            held[line.kind, line.place] += line.count
    for kind, place in (
        ("blank-card", STORE),
        ("blank-card", FACTORY),
        ("receipt", WINDOW),
        ("temporary-card", WINDOW),
        ("pos", COUNTY),
    ):
        there = office.shelf[kind, place] - (
            office.tally["receipts spoilt"] if kind == "receipt" else 0
        )
        yield Check(f"stock: {kind} at {place}", held[kind, place], there)
    said = office.factory.said
    yield Check("stock: blank cards used, cards made", ends["blank-card", "used"], said["made"])
    yield Check("stock: destroyed, broken", ends["blank-card", "destroyed"], said["broken"])
    yield Check("stock: written off, stolen", ends["blank-card", "missing"], STOLEN)
    yield Check("stock: the count named the difference", closing.first_count, f"missing {STOLEN}")
    receipts = ends["receipt", "used"] + ends["receipt", "spoilt"] + ends["receipt", "held"]
    yield Check("stock: receipts used + spoilt + held", receipts, RECEIPTS)
    yield Check("stock: receipts used, papers", ends["receipt", "used"], office.tally["receipts"])


def dead(office: Office) -> Checks:
    """Whatever is tried with a dead card is refused, and the attempt is kept."""
    tried = [card for card, _ in office.cards_in(*_DEAD)][::_EVERY]
    before, kept = office.registry.counts(), _refusals(office)
    refused = 0
    for card in tried:
        for action in ("open", "find", "unlock-pin"):
            try:
                office.act(action, card)
            except IllegalMoveError:
                refused += 1
    yield Check("attempts with dead cards: refused", refused, 3 * len(tried))
    yield Check("attempts with dead cards: kept", _refusals(office) - kept, refused)
    after = office.registry.counts()
    yield Check("cards by state after the attempts", digest(after), digest(before))
    yield Check("acts refused in bulk", office.tally["refused in bulk"], 0)


def _refusals(office: Office) -> int:
    with office.store.reading() as connection:
        return Question(connection).count(acts, acts.c.result.like("refused:%"))


def chain(office: Office) -> Checks:
    """The history."""
    verdict = office.registry.verify_history()
    yield Check("history", verdict.problem or "intact", "intact")
    with office.store.reading() as connection:
        entries = Question(connection).count(history)
    yield Check("history: entries, number of the last", entries, verdict.head.sequence)
