"""The program that mends what a fault has left is hit as well, once or twice."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from tests.crash.fragile import Watch
from tests.crash.places import Hit, read_points
from tests.crash.proof import finish
from tests.crash.scene import BLANK, NEXT_DAY, PREMADE_31, Road, Scene, scene

some_faults = settings(
    max_examples=16,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.mark.parametrize("hit", Hit)
@pytest.mark.parametrize("road", [PREMADE_31, BLANK], ids=lambda road: road.name)
@given(data=st.data())
@some_faults
def test_a_fault_while_an_earlier_fault_is_mended(
    road: Road, hit: Hit, data: st.DataObject
) -> None:
    first = data.draw(st.sampled_from(read_points(road.name)))
    with scene(road) as one:
        one.interrupt(Watch.of(first))
        hit_again(one, data, hit)
        if data.draw(st.booleans()):
            hit_again(one, data, data.draw(st.sampled_from(Hit)))
        finish(one)


def hit_again(one: Scene, data: st.DataObject, hit: Hit) -> None:
    """Let the next program be hit somewhere on its way."""
    to_come = list(enumerate(one.places_to_come(), start=1))
    possible = [number for number, place in to_come if hit in place.hits]
    assume(possible)  # a finished card has no commits before it
    number = data.draw(st.sampled_from(possible))
    note(f"{hit} at {to_come[number - 1][1].where}")
    one.interrupt(Watch(number, hit), NEXT_DAY)
