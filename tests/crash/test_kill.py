"""``kill -9`` at any point of making a card: see `tests.crash.killing`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.killing import points_to_kill_at
from tests.crash.places import Point, chunk_id, chunks
from tests.crash.scene import LISTED, Road

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="NOT TESTED: no fork here")

_CHUNK = 130  # points a process; it needs a second to start
_REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("road", "points"),
    [
        pytest.param(road, points, id=f"{road.name}-{chunk_id(points)}")
        for road in LISTED
        for points in chunks(points_to_kill_at(road.name), _CHUNK)
    ],
)
def test_the_next_program_finishes_what_a_killed_one_has_left(
    road: Road, points: list[Point]
) -> None:
    first, last = str(points[0].number), str(points[-1].number)
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.killing", road.name, first, last],
        cwd=_REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{len(points)} killed\n"
