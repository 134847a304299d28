"""The power goes at any point of making a card; the next program ends with one correct card."""

from __future__ import annotations

import pytest

from cardkit.apdu.link import LinkLostError
from tests.crash.fragile import Watch
from tests.crash.places import Hit, Point, chunk_id, chunks, points_of, read_points
from tests.crash.proof import content, finish, make, prove
from tests.crash.scene import (
    BLANK,
    BLANK_WITH_ANOTHER_HEAD,
    LISTED,
    NEXT_DAY,
    OTHER_SERIAL,
    PREMADE_29,
    PREMADE_31,
    VARIANTS,
    Road,
    Scene,
    at,
    scene,
    undisturbed,
)

_SAMPLE = {PREMADE_29: 2, PREMADE_31: 5, BLANK: 23}  # every so many points
_CHUNK = 60

every_point = pytest.mark.parametrize(
    ("road", "points"),
    [
        pytest.param(road, points, id=f"{road.name}-{chunk_id(points)}")
        for road in LISTED
        for points in chunks(read_points(road.name), _CHUNK)
    ],
)
some_points = pytest.mark.parametrize(
    ("road", "points"),
    [
        pytest.param(road, points, id=f"{road.name}-{chunk_id(points)}")
        for road, step in _SAMPLE.items()
        for points in chunks(read_points(road.name)[::step], _CHUNK)
    ],
)


@every_point
def test_the_next_program_finishes_the_card(road: Road, points: list[Point]) -> None:
    intent = next(p.number for p in read_points(road.name) if p.hit is Hit.AFTER_COMMIT)
    for point in points:
        with scene(road) as one, at(point):
            fresh = content(one.card.chip)
            one.interrupt(Watch.of(point))
            assert (one.promised is not None) == (point.number >= intent)
            assert_untouched_unless_promised(one, fresh, point)
            finish(one)


def assert_untouched_unless_promised(one: Scene, fresh: object, point: Point) -> None:
    """No byte is written to a chip that is not on record; a torn authentication spends a try."""
    if one.promised is None and point.hit is not Hit.TORN:
        assert content(one.card.chip) == fresh


@some_points
def test_another_chip_put_in_first_gets_another_person(road: Road, points: list[Point]) -> None:
    for point in points:
        other = road.chip(OTHER_SERIAL)
        with scene(road) as one, at(point):
            one.interrupt(Watch.of(point))
            with one.program() as program:
                assert make(program, other) != one.promised
                make(program, one.card, one.promised)
                prove(program, road, {one.card: one.day, other: NEXT_DAY})


@some_points
def test_the_same_program_goes_on_when_only_the_card_lost_its_power(
    road: Road, points: list[Point]
) -> None:
    for point in points:
        if point.hit in (Hit.BEFORE_COMMIT, Hit.AFTER_COMMIT):
            continue
        watch = Watch.of(point)
        with scene(road) as one, at(point), one.program(watch) as program:
            one.card.watch = watch
            with pytest.raises(LinkLostError):
                program.process(one.card)
            make(program, one.card)
            prove(program, road, {one.card: NEXT_DAY})


@pytest.mark.parametrize("road", VARIANTS, ids=lambda road: road.name)
def test_cards_with_more_on_them_are_finished_too(road: Road) -> None:
    points = points_of(undisturbed(road))
    for point in points[:: len(points) // 25]:
        with scene(road) as one, at(point):
            one.interrupt(Watch.of(point))
            finish(one)


def test_a_chip_is_known_between_its_new_serial_and_its_new_atr_head() -> None:
    """The serial is set before the head; a chip of another series shows a mixture then."""
    road = BLANK_WITH_ANOTHER_HEAD
    around = [
        point
        for point in points_of(undisturbed(road))
        if point.where in ("80E00500", "00140000", "intent")
    ]
    assert len(around) == 8
    for point in around:
        with scene(road) as one, at(point):
            one.interrupt(Watch.of(point))
            finish(one)
