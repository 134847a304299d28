"""A card against its record in the registry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cardkit.card.files import Tree
from cardkit.card.files.codings import Value
from cardkit.card.procedures.check import same
from cardkit.card.procedures.verify import CARD_NUMBER, CITIZEN_NUMBER, ID_CODE, Check, Outcome
from cardkit.issuance.plan import plan
from cardkit.profile import Profile
from cardkit.registry.lifecycle import Lifecycle, load
from cardkit.registry.lifecycle.pool import lent_as
from cardkit.registry.records import CardRecord
from cardkit.registry.registry import Registry
from cardkit.registry.states import DEAD, NOT_MADE, STOPPED

RECORD, DATA = ("registry_record", "登记库记录"), ("registry_data", "登记库资料")


def compare(
    tree: Tree, profile: Profile, values: Mapping[str, Value], registry: Registry
) -> Iterator[Check]:
    """Whether the registry has the card as one to be accepted, with the data that are on it.

    A card that was never finished, has come to an end, or is lost, frozen or suspended is not.

    Parameters
    ----------
    values : mapping
        What is on the card, by address.
    """
    record = _record_of(values, registry)
    if record is None:
        yield from _temporary(values, registry)
        return
    rules = load(profile)
    state = Lifecycle(registry.books, rules).standing(record.card_id).state
    if state in (*NOT_MADE, *DEAD, *STOPPED):
        detail = f"record {record.card_id} is {state} {rules.zh('state', state)}"
        yield Check(*RECORD, Outcome.FAILED, detail)
        return
    yield Check(*RECORD, Outcome.OK, f"record {record.card_id}")
    different = _different(tree, profile, values, record)
    outcome = Outcome.FAILED if different else Outcome.OK
    yield Check(*DATA, outcome, f"different: {', '.join(different)}" if different else "")


def _temporary(values: Mapping[str, Value], registry: Registry) -> Iterator[Check]:
    """A temporary card 临时卡 that is lent, with its borrower's number on it."""
    number = values.get(CARD_NUMBER)
    loan = lent_as(registry.books, number) if isinstance(number, str) else None
    if loan is None:
        yield Check(*RECORD, Outcome.FAILED, "the registry does not know this card")
        return
    name = f"temporary card {loan.card} 临时卡 ({loan.serial})"
    if loan.back_at:
        yield Check(*RECORD, Outcome.FAILED, f"{name} is not lent under this number any more")
        return
    yield Check(*RECORD, Outcome.OK, f"{name}, due {loan.due}")
    holds = values.get(CITIZEN_NUMBER)
    outcome = Outcome.OK if holds == loan.citizen_number else Outcome.FAILED
    yield Check(*DATA, outcome, "" if outcome is Outcome.OK else f"different: {CITIZEN_NUMBER}")


def _record_of(values: Mapping[str, Value], registry: Registry) -> CardRecord | None:
    code, number = values.get(ID_CODE), values.get(CARD_NUMBER)
    found = registry.find_by_id_code(code) if isinstance(code, bytes) else None
    if found is None and isinstance(number, str):
        found = registry.find_by_card_number(number)
    return found


def _different(
    tree: Tree, profile: Profile, values: Mapping[str, Value], record: CardRecord
) -> list[str]:
    wanted = dict(plan(profile, record).values) | {ID_CODE: record.card_id_code}
    return [
        address
        for address, value in wanted.items()
        if address in values and not same(tree.find(address), values[address], value)
    ]
