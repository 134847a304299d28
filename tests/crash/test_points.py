"""The lists of fault points are complete: nothing a run does is missing, nothing else is listed."""

from __future__ import annotations

from collections import Counter

import pytest

from cardkit.card.files import GENERATION_2
from tests.crash.places import RESET, Hit, points_of, read_points
from tests.crash.proof import finish
from tests.crash.scene import LISTED, VARIANTS, Road, scene, undisturbed

each_road = pytest.mark.parametrize("road", LISTED, ids=lambda road: road.name)


@each_road
def test_the_list_is_what_a_run_without_faults_goes_through(road: Road) -> None:
    assert read_points(road.name) == points_of(undisturbed(road))


@each_road
def test_a_place_is_hit_in_every_way_there_is(road: Road) -> None:
    points = read_points(road.name)
    hits = Counter(point.hit for point in points)
    resets = sum(point.where == RESET for point in points) // 2
    assert hits[Hit.TORN] + resets == hits[Hit.CUT_BEFORE] == hits[Hit.UNANSWERED]
    assert hits[Hit.BEFORE_COMMIT] == hits[Hit.AFTER_COMMIT]
    assert [point.number for point in points] == list(range(1, len(points) + 1))


@pytest.mark.parametrize(("name", "commands"), [("premade-29", 29), ("premade-31", 31)])
def test_a_window_sends_so_many_commands_and_commits_twice(name: str, commands: int) -> None:
    points = read_points(name)
    sent = [point.where for point in points if point.hit is Hit.TORN]
    assert len([header for header in sent if header != "00C00000"]) == commands
    assert commits(name) == ["intent", "result"]


def test_a_blank_chip_has_a_milestone_after_every_directory_file() -> None:
    milestones = [f"milestone-{directory.label}" for directory in GENERATION_2.directories]
    assert len(milestones) == 6
    assert commits("blank") == ["intent", *milestones, "result"]


def commits(name: str) -> list[str]:
    """Durable commits of a list, in their order."""
    return [point.where for point in read_points(name) if point.hit is Hit.BEFORE_COMMIT]


@pytest.mark.parametrize("road", [*LISTED, *VARIANTS], ids=lambda road: road.name)
def test_a_run_without_faults_passes_what_is_asked_of_the_others(road: Road) -> None:
    with scene(road) as one:
        finish(one)
