"""People that do not exist, a clock that can be read without waiting, and what must always hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update

from cardkit.codec.numbers import citizen_check, is_card_number
from cardkit.registry.journal import Event
from cardkit.registry.numbering import Numbering
from cardkit.registry.people import Applicant
from cardkit.registry.records import BatchInfo, CardRecord, Enrolment
from cardkit.registry.registry import Registry, sqlite_url
from cardkit.registry.schema import cards, chips, people
from cardkit.registry.states import DEAD, LIVE_CHIP, State
from cardkit.registry.store import CommitHook

NUMBERING = Numbering(card_prefix="A", card_first=1, serial_first=1, district="639900")
BEING_MADE = (State.PLANNED, State.ORDERED, State.FAILED, State.SPOILT)
MADE = frozenset(State) - set(DEAD) - {
    State.PLANNED, State.ORDERED, State.WRITING, State.WRITTEN, State.VERIFIED, State.FAILED,
}  # fmt: skip
MAC = bytes.fromhex("CAFEBABE")
FACTORY_ATR = bytes.fromhex("3B6D00000087BF10028649") + bytes(6)


class SetClock:
    """One second later every time somebody looks."""

    def __init__(self) -> None:
        self.now = datetime(2012, 5, 1, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def applicant(index: int, **changes: str | int | dict[str, str]) -> Applicant:
    """The synthetic person number `index`, of a district that does not exist."""
    first = f"639900198{index % 10}0101{index // 10:03d}"
    number = first + citizen_check(first)
    person = Applicant(
        row=index + 2,
        name=f"张测试{index}",
        citizen_number=number,
        insurance_number=number,
        sex="1" if index // 10 % 2 else "2",
        birth_date=number[6:14],
        birthplace=number[:6],
        nation="01",
        address=f"测试乡第{index}村",
        phone=f"1390000{index:04d}",
    )
    return replace(person, **changes)  # type: ignore[arg-type]


def crowd(count: int, first: int = 0) -> list[Applicant]:
    return [applicant(index) for index in range(first, first + count)]


def batch(name: str = "roster.csv", rows: int = 1) -> BatchInfo:
    return BatchInfo(name, name.encode().hex().ljust(64, "0"), rows)


def leave_in(registry: Registry, card_id: int, state: str) -> None:
    """As if the life of a card had led to some state, with its history."""
    books, card = registry.books, registry.get(card_id)
    with books.store.writing() as connection:
        connection.execute(update(cards).where(cards.c.id == card_id).values(state=state))
        event = Event("test", card_id, card.person_id, card.state, state)
        books.journal.append(connection, books.store.now(), event)


def open_at(
    place: Path | str,
    *,
    on_commit: CommitHook | None = None,
    busy_seconds: float = 10.0,
    clock: Callable[[], datetime] | None = None,
) -> Registry:
    """Open the registry in a file, or that of a URL; without a clock it is May 2012."""
    return Registry.open(
        sqlite_url(place) if isinstance(place, Path) else place,
        clock=clock or SetClock(),
        actor="window 1",
        busy_seconds=busy_seconds,
        on_commit=on_commit,
    )


def enrol(registry: Registry, people: Sequence[Applicant], name: str = "roster.csv") -> Enrolment:
    return registry.enrol(people, NUMBERING, batch(name, len(people)))


def begin(registry: Registry, record: CardRecord, *, reader: str = "reader 1") -> None:
    """Bind a blank chip to the record."""
    registry.intent(
        record.card_id,
        id_code=record.id_code,
        atr=FACTORY_ATR[:11] + record.id_code[:2] + record.serial,
        factory_atr=FACTORY_ATR[:13] + record.serial,
        reader=reader,
        chip_kind="blank",
    )


def begin_premade(registry: Registry, card_id: int, id_code: bytes) -> None:
    """Bind a chip that brought its id code from its factory."""
    registry.intent(
        card_id,
        id_code=id_code,
        atr=FACTORY_ATR[:13] + id_code[8:],
        factory_atr=None,
        reader="reader 2",
        chip_kind="premade",
    )


def issue(registry: Registry, record: CardRecord) -> None:
    begin(registry, record)
    registry.result(record.card_id, ok=True, id_code=record.id_code + MAC)


def premade_code(serial: int) -> bytes:
    return bytes.fromhex("639900D156000005") + serial.to_bytes(4, "big")


def assert_consistent(registry: Registry) -> None:
    """What must hold whatever happened: the promises of the registry, looked at from outside."""
    verdict = registry.verify_history()
    assert verdict.intact, verdict.problem
    with registry._store.reading() as connection:
        all_cards = connection.execute(select(cards)).mappings().all()
        all_chips = connection.execute(select(chips)).mappings().all()
        persons = connection.execute(select(people.c.citizen_number)).scalars().all()
    _assert_unique([row["card_number"] for row in all_cards])
    _assert_unique([row["card_id_code"] for row in all_cards])
    _assert_unique([row["card_id_code"] for row in all_chips])
    _assert_unique(persons)
    assert all(is_card_number(row["card_number"]) for row in all_cards)
    _assert_unique([row["person"] for row in all_cards if row["state"] not in DEAD])
    live = [row for row in all_chips if row["state"] in LIVE_CHIP]
    _assert_unique([row["card"] for row in live])
    code_of = {row["id"]: row["card_id_code"] for row in all_cards}
    assert all(code_of[row["card"]] == row["card_id_code"] for row in live)
    on_chip = {row["card"]: row["state"] for row in live}
    for row in all_cards:
        if row["state"] in MADE:
            assert on_chip[row["id"]] == "issued"
            assert len(row["card_id_code_mac"]) == 4
        elif row["state"] == State.WRITING:
            assert on_chip[row["id"]] == "bound"
        elif row["state"] in BEING_MADE:
            assert on_chip.get(row["id"], "bound") == "bound"
        else:  # it was made, and lives or lived
            assert on_chip.get(row["id"], "issued") == "issued"


def _assert_unique(values: Sequence[object]) -> None:
    assert len(set(values)) == len(values)
