"""Samples that can be drawn again, and results that stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from cardkit.registry.operators import NotAllowedError
from cardkit.registry.people import Applicant
from cardkit.registry.places import Residence
from cardkit.registry.registry import Registry
from cardkit.registry.statistics import Archive, Inspection, StatisticsError
from cardkit.registry.statistics.inspection import draw
from tests.registry.crew import Crew
from tests.registry.statistics.conftest import happen
from tests.registry.support import applicant, enrol

entries = st.lists(st.integers(1, 10**6), unique=True, max_size=50).map(
    lambda found: [(sequence, sequence * 2) for sequence in found]
)


@given(entries, st.integers(1, 60), st.text(max_size=10))
def test_a_sample_is_of_the_population_and_follows_from_the_seed(
    population: list[tuple[int, int]], size: int, seed: str
) -> None:
    chosen = draw(seed, population, size)

    assert len(chosen) == len(set(chosen)) == min(size, len(population))
    assert set(chosen) <= set(population)
    assert chosen == draw(seed, reversed(population), size)


def test_a_known_sample() -> None:
    assert draw("seed", [(n, n) for n in range(1, 101)], 5) == KNOWN


KNOWN = [(n, n) for n in (7, 23, 27, 73, 82)]  # sha256sum of "seed:1" ... "seed:100", sorted


def test_a_sample_can_be_drawn_again(registry: Registry, crew: Crew) -> None:
    inspection = Inspection(registry.books)
    sample = inspection.sample("issue", 2, seed="2012-1", operator=crew.sun)
    happen(registry, 1, "issue", registry.books.store.now())  # more to draw from today

    assert (sample.population, len(sample.items), sample.operator) == (5, 2, "sun")
    assert inspection.again(sample.sample_id)
    with registry.books.store.writing() as connection:
        connection.execute(text("UPDATE sample_items SET card = 6 WHERE position = 1"))
    assert not inspection.again(sample.sample_id)


def test_a_sample_of_one_place(registry: Registry, crew: Crew) -> None:
    inspection = Inspection(registry.books)

    sample = inspection.sample("issue", 9, seed="x", place="V1", operator=crew.sun)

    assert [item.card_id for item in sample.items] == [2]
    with pytest.raises(StatisticsError, match="no 'hand-out'"):
        inspection.sample("hand-out", 9, seed="x", operator=crew.sun)


def test_a_result_is_never_changed_only_corrected(registry: Registry, crew: Crew) -> None:
    inspection = Inspection(registry.books)
    number = inspection.sample("issue", 2, seed="x", operator=crew.sun).sample_id
    with pytest.raises(StatisticsError, match="no result to be corrected"):
        inspection.say(number, 1, "fine", operator=crew.sun, correct=True)
    inspection.say(number, 1, "papers", operator=crew.sun, note="申请表缺页")

    with pytest.raises(StatisticsError, match="has its result"):
        inspection.say(number, 1, "fine", operator=crew.sun)
    corrected = inspection.say(number, 1, "fine", operator=crew.li, correct=True)
    again = inspection.say(number, 1, "data", operator=crew.li, correct=True)

    assert (corrected.result, corrected.by, corrected.said) == ("fine", "li", 2)
    assert (again.result, again.said) == ("data", 3)
    with registry.books.store.reading() as connection:
        kept = connection.execute(text("SELECT result, corrects FROM sample_results ORDER BY id"))
        assert [tuple(row) for row in kept] == [("papers", None), ("fine", 1), ("data", 2)]
        details = connection.execute(text("SELECT detail FROM history")).scalars().all()
    assert not any("申请表" in detail for detail in details)


@pytest.mark.parametrize(("position", "result"), [(3, "fine"), (1, "boring")])
def test_results_that_make_no_sense(
    registry: Registry, crew: Crew, position: int, result: str
) -> None:
    inspection = Inspection(registry.books)
    number = inspection.sample("issue", 2, seed="x", operator=crew.sun).sample_id

    with pytest.raises(StatisticsError):
        inspection.say(number, position, result, operator=crew.sun)
    with pytest.raises(NotAllowedError):
        inspection.say(number, 1, "fine", operator=crew.zhao)


def test_volumes_of_a_hundred(registry: Registry, crew: Crew) -> None:
    archive = Archive(registry.books)
    enrol(registry, villagers(250), "more.csv")
    Residence(registry.books).assign_by_address(operator=crew.li)
    archive.bind("C", operator=crew.li)

    v0 = archive.list("V0")
    assert [(volume.number, volume.people) for volume in v0] == [(1, 100), (2, 100), (3, 51)]
    assert v0[0].last < v0[1].first
    assert archive.bind("C", operator=crew.li) == 0
    with registry.books.store.reading() as connection:
        people = connection.execute(text("SELECT person FROM volume_people")).scalars().all()
    assert len(people) == len(set(people)) == 253

    enrol(registry, villagers(10, 250), "later.csv")
    Residence(registry.books).assign_by_address(operator=crew.li)
    assert archive.bind("V0", operator=crew.li) == 10
    assert [volume.people for volume in archive.list("V0")] == [100, 100, 61]


def villagers(count: int, first: int = 0) -> list[Applicant]:
    return [applicant(100 + n, address="测试乡第0村") for n in range(first, first + count)]


def test_a_volume_is_lent_to_one_person(registry: Registry, crew: Crew) -> None:
    archive = Archive(registry.books)
    archive.bind("V0", operator=crew.li)
    volume = archive.list("V0")[0].volume_id

    archive.lend(volume, "稽核科", purpose="抽查", operator=crew.zhao)
    with pytest.raises(StatisticsError, match="is lent already"):
        archive.lend(volume, "别人", purpose="抽查", operator=crew.zhao)
    assert archive.list("V0")[0].lent_to == "稽核科"
    archive.give_back(volume, operator=crew.qian)
    with pytest.raises(StatisticsError, match="not lent"):
        archive.give_back(volume, operator=crew.qian)
    with pytest.raises(StatisticsError, match="no volume 99"):
        archive.lend(99, "稽核科", purpose="抽查", operator=crew.zhao)

    (loan,) = archive.register()
    assert (loan.loan_id, loan.lent_by, loan.back_by) == (1, "zhao", "qian")
    assert loan.back_at
