"""Write the lists of fault points anew (``python -m tests.crash.write_points``); review them."""

from __future__ import annotations

from tests.crash.places import path_of, points_of
from tests.crash.scene import LISTED, Road, undisturbed

_HEADING = """\
# Fault points of the road {road}: number, what happens, and the header of the command, RESET, or
# the name of the durable commit. Written by tests.crash.write_points from an undisturbed run.
"""


def write(road: Road) -> None:
    """Record an undisturbed run and write its list."""
    lines = [f"{point}\n" for point in points_of(undisturbed(road))]
    path_of(road.name).write_text(
        _HEADING.format(road=road.name) + "".join(lines), encoding="ascii"
    )


if __name__ == "__main__":
    for listed in LISTED:
        write(listed)
