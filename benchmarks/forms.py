"""Papers: one at a window, and the hand-out lists of a county of 188 villages with 1,200 people."""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

from cardkit.cli import common
from cardkit.registry.forms import Forms, Kind, Subject
from cardkit.registry.operators import Operator, Role
from cardkit.registry.registry import Registry, sqlite_url
from tests.registry.forms.samples import CONTENTS, hand_out

VILLAGES = 188
PEOPLE = 1_200
SLIPS = 500


def main() -> None:
    """Print how long papers take, recorded and typeset, in a registry in a file."""
    zhao = Operator(1, "zhao", "赵", frozenset({Role.WINDOW}))
    with (
        tempfile.TemporaryDirectory() as folder,
        Registry.open(
            sqlite_url(Path(folder) / "registry.db"), clock=common.now, actor="benchmark"
        ) as registry,
    ):
        forms = Forms(registry.books)
        begun = time.perf_counter()
        for act in range(SLIPS):
            forms.make(
                Kind.ACCEPTANCE,
                CONTENTS[Kind.ACCEPTANCE],
                subject=Subject("act", act),
                operator=zhao,
            )
        slips = time.perf_counter() - begun
        print(f"acceptance receipt, two copies: {slips / SLIPS * 1000:.1f} ms")
        content, size, longest = hand_out(PEOPLE), 0, 0.0
        begun = time.perf_counter()
        for lot in range(VILLAGES):
            one = time.perf_counter()
            _, pdf = forms.make(Kind.HAND_OUT, content, subject=Subject("lot", lot), operator=zhao)
            longest = max(longest, time.perf_counter() - one)
            size += len(pdf)
        lists = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{VILLAGES} lists of {PEOPLE:,} people: {lists:.1f} s, longest {longest * 1000:.0f} ms")
    print(f"{size / VILLAGES / 1024:.0f} KiB a list; peak memory {peak:.0f} MiB")


if __name__ == "__main__":
    main()
