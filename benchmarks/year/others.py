"""The registry beside the books of everybody else: county, bank, factory, agency, terminals."""

from __future__ import annotations

from sqlalchemy import case, func, select

from benchmarks.year.comparing import Check, Checks, Question, acts_done, digest, rows_of
from benchmarks.year.office import Office
from cardkit.registry.exchange.services.blacklist import REASONS
from cardkit.registry.schema.cards import cards, chips, people
from cardkit.registry.schema.exchange import exchange_batches, exchange_rows
from cardkit.registry.schema.life import acts, bank_accounts, successions
from cardkit.registry.schema.lots import lot_cards, lot_conflicts
from cardkit.registry.schema.places import residence
from cardkit.registry.states import DEAD

_DEAD = [state.value for state in DEAD]


def lists(office: Office, found: Question) -> Checks:
    """The lists of the agency, and who was enrolled."""
    tally, county = office.tally, office.county
    yield Check("people: registry, county", found.count(people), len(county.citizens))
    yield Check(
        "rows of the lists: enrolled + named again + refused",
        tally["people enrolled"] + tally["people named again"] + tally["rows refused"],
        tally["rows in lists"],
    )
    yield Check("rows refused: lists, typing errors", tally["rows refused"], len(county.mistyped))
    yield Check(
        "people named twice: lists, county",
        tally["people named again"],
        len(county.twice) if len(county.townships) > 1 else 0,
    )
    yield Check("contradictions in the lists", tally["conflicts"], 0)
    home = found.count(residence, residence.c.until == "")
    yield Check("people with a place", home, len(county.citizens))


def bank(office: Office, found: Question) -> Checks:
    """What went to the bank, what came back, and its accounts."""
    bank, said = office.bank, office.bank.said
    batch, answer = exchange_batches.c, rows_of("bank-opening-return")
    sent = found.one(select(func.sum(batch.rows)).where(batch.layout == "bank-opening"))
    yield Check("rows to the bank: sent, received", sent, said["bank-opening received"])
    results = found.by(answer.group_by(exchange_rows.c.result))
    yield Check("rows to the bank: sent, answered", sent, sum(results.values()))
    theirs = {"ok": said["0000"], "mismatch": said["1001"]}
    yield Check("answers of the bank", results, {k: v for k, v in theirs.items() if v})
    again = found.one(
        select(func.sum(batch.rows)).where(
            batch.layout == "bank-opening", batch.reissue_of.is_not(None)
        )
    )
    yield Check("refused rows: answered, sent again", results.get("mismatch", 0), again)
    yield Check("refused rows: answered, misspelt names", again, len(office.county.misspelt))
    kept = dict(
        found.rows(
            select(bank_accounts.c.account, people.c.citizen_number).join_from(
                bank_accounts, people, people.c.id == bank_accounts.c.person
            )
        )
    )
    yield Check("accounts: registry, bank, each one", digest(kept), digest(bank.accounts))
    losses = found.one(select(func.sum(batch.done)).where(batch.layout == "loss-report"))
    yield Check("losses the bank reported: taken, told", losses, said["losses"])
    yield Check("losses the bank reported: refused", office.tally["losses refused"], 0)


def factory(office: Office, found: Question) -> Checks:
    """What was ordered, made and broken."""
    said, batch = office.factory.said, exchange_batches.c
    sent = found.one(select(func.sum(batch.rows)).where(batch.layout == "factory-order"))
    yield Check("cards ordered: sent, received", sent, said["factory-order received"])
    yield Check("cards ordered = made + broken", sent, said["made"] + said["broken"])
    answers = rows_of("factory-return").group_by(exchange_rows.c.result)
    results = found.by(answers)
    theirs = {"ok": said["made"], "refused": said["broken"]}
    yield Check("return lists", results, {k: v for k, v in theirs.items() if v})
    yield Check("chips: registry, factory", found.count(chips), said["made"])
    alive = found.count(chips, chips.c.state == "issued")
    ever = found.one(
        select(func.count()).where(cards.c.state.not_in([*_DEAD, "planned", "ordered", "failed"]))
    )
    yield Check("chips in use, living cards that were made", alive, ever)


def lots(office: Office, found: Question) -> Checks:
    """What went out, how each card ended, and what the registry did not follow."""
    tally, table = office.tally, lot_cards.c
    ends = found.by(select(table.outcome, func.count()).group_by(table.outcome))
    yield Check(
        "cards in lots: handed + returned + missing", sum(ends.values()), tally["cards in lots"]
    )
    yield Check("cards in lots: nothing unknown", ends.get("", 0), 0)
    yield Check("cards in lots: missing", ends.get("missing", 0), tally["cards missing"])
    yield Check("cards in lots: handed", ends.get("handed", 0), tally["handed by lots"])
    stuck = found.count(lot_cards, table.conflict != "")
    yield Check("handed out, not followed: named", stuck, tally["not followed"])
    named = found.count(lot_conflicts)
    yield Check("conflicts of outcome files", named, tally["conflicts of lots"])
    by_lot = found.one(acts_done("hand-out").where(acts.c.channel.in_(["village", "employer"])))
    yield Check("hand-outs by lots: acts, lots", by_lot, ends.get("handed", 0) - stuck)
    yield Check("lots still open", found.count(lot_cards, table.open == 1), 0)


def partners(office: Office, found: Question) -> Checks:
    """Numbers at the agency, and the list at the terminals."""
    living = cards.c.state.not_in(_DEAD)
    pairs = select(people.c.insurance_number, cards.c.card_number).join_from(
        cards, people, cards.c.person == people.c.id
    )
    known = dict(found.rows(pairs.where(living)))
    theirs = {key: number for key, number in office.agency.card_of.items() if key in known}
    yield Check("insurance number ↔ card number: registry, agency", digest(known), digest(theirs))
    unknown = office.agency.said["changes of a number it did not know"]
    yield Check("changes of numbers the agency did not know", unknown, 0)
    yield Check(
        "changes of numbers: successions, told",
        found.count(successions),
        office.agency.said["card-number-delta received"],
    )
    codes = {state.value: code for state, code in REASONS.items()}
    stopped = dict(
        found.rows(
            select(cards.c.card_number, case(codes, value=cards.c.state)).where(
                cards.c.state.in_(list(codes)), cards.c.card_id_code_mac.is_not(None)
            )
        )
    )
    yield Check("blacklist: registry, terminals", digest(stopped), digest(office.terminals.stopped))
