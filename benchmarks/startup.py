"""How long the command line takes to say what it can do; target 0.15 s."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 15
CODE = "import sys; from cardkit.cli.main import main; sys.exit(main())"


def main() -> None:
    """Time ``cardkit --help`` against a Python that does nothing."""
    for words, command in (
        ("python -c pass", [sys.executable, "-c", "pass"]),
        ("cardkit --help", [sys.executable, "-c", CODE, "--help"]),
        ("cardkit issue --help", [sys.executable, "-c", CODE, "issue", "--help"]),
    ):
        times = []
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - begin)
        print(f"{words:<22} {statistics.median(times):.3f} s (median of {ROUNDS})")


if __name__ == "__main__":
    main()
