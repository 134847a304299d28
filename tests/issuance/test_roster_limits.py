"""What could fill the memory is refused while it streams by; measured in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cardkit.errors import UsageError
from cardkit.issuance import roster
from cardkit.issuance.roster import sample
from cardkit.issuance.roster.stream import LINE_LIMIT
from tests.issuance.roster_samples import D1, TODAY, ZHANG, read

MEBIBYTE = 1 << 20
STREAM = 300 * MEBIBYTE
MEMORY_LIMIT = 200 * MEBIBYTE

# VmHWM, since ru_maxrss begins with what the process that forked the child had.
READ_IN_CHILD = """
import datetime, re, sys
from cardkit.errors import UsageError
from cardkit.issuance import roster
try:
    roster.read(sys.argv[1], today=datetime.date(2014, 6, 1))
except UsageError as error:
    print(error.message)
print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024)
print(sorted({"numpy", "polars", "fastexcel"} & set(sys.modules)))
"""


COUNT_IN_CHILD = """
import datetime, re, sys
from cardkit.issuance import roster
found = roster.read(sys.argv[1], today=datetime.date(2014, 6, 1))
print(len(found.applicants), len(found.rejects))
print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024)
"""


def read_in_child(path: Path) -> tuple[str, int, str]:
    """Message, highest memory in bytes, and which heavy libraries were imported."""
    run = subprocess.run(
        [sys.executable, "-c", READ_IN_CHILD, str(path)],
        capture_output=True, check=True, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    message, memory, imported = run.stdout.splitlines()
    return message, int(memory), imported


def pour(path: Path, pieces: list[tuple[bytes, int]]) -> None:
    """Write pieces into a pipe, each so many times, until the reader has had enough."""
    try:
        with path.open("wb", buffering=0) as pipe:
            for piece, times in pieces:
                for _ in range(times):
                    pipe.write(piece)
    except BrokenPipeError:
        return


def read_stream(tmp_path: Path, pieces: list[tuple[bytes, int]]) -> tuple[str, int, str]:
    path = tmp_path / "stream.csv"
    os.mkfifo(path)
    writer = threading.Thread(target=pour, args=(path, pieces))
    writer.start()
    try:
        return read_in_child(path)
    finally:
        writer.join()


def test_a_line_of_300_megabytes_is_refused_after_one(tmp_path: Path) -> None:
    message, memory, imported = read_stream(tmp_path, [(b"x" * MEBIBYTE, 300)])
    assert message.startswith(f"stream.csv, line 1, column {LINE_LIMIT}: the line is longer than")
    assert memory < MEMORY_LIMIT
    assert imported == "[]"


def test_a_long_line_at_the_end_of_300_megabytes_is_found(tmp_path: Path) -> None:
    rows = f"1,张三,{ZHANG},{'幸福村' * 100},129\n".encode() * 1000
    count = STREAM // len(rows)
    pieces = [(f"{D1}\n".encode(), 1), (rows, count), (b"y" * MEBIBYTE, 2)]
    message, memory, imported = read_stream(tmp_path, pieces)
    assert message.startswith(f"stream.csv, line {count * 1000 + 2}, column {LINE_LIMIT}: the line")
    assert memory < MEMORY_LIMIT
    assert imported == "[]"


def test_a_county_is_read_within_350_megabytes(tmp_path: Path) -> None:
    # 220,000 people; how long it takes is printed by the benchmark, not tested.
    sample.write(tmp_path / "county.csv", 220_000, seed=3, encoding="gb18030")
    run = subprocess.run(
        [sys.executable, "-c", COUNT_IN_CHILD, str(tmp_path / "county.csv")],
        capture_output=True, check=True, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    counts, memory = run.stdout.splitlines()
    assert counts == "220000 0"
    assert int(memory) < 350 * MEBIBYTE


def test_a_line_of_exactly_one_mebibyte_is_no_problem(tmp_path: Path) -> None:
    heading, row = "姓名,身份证号码,备注", f"张三,{ZHANG},"
    # In ten cells, for a single one has a limit of its own.
    cells = ["x" * 104_000] * 10
    line = row + ",".join(cells)
    line += "x" * (LINE_LIMIT - len(line.encode()))
    heading += "".join(f",备注{n}" for n in range(2, 11))
    assert len(read(tmp_path, f"{heading}\n{line}\n").applicants) == 1
    with pytest.raises(UsageError, match="longer than 1 MiB"):
        read(tmp_path, f"{heading}\n{line}x\n")


def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    content = f"{D1}\n1,张三,{ZHANG},,\n".encode("gb18030")
    writer = threading.Thread(target=pour, args=(path, [(content, 1)]))
    writer.start()
    found = roster.read(path, today=TODAY)
    writer.join()
    assert [a.name for a in found.applicants] == ["张三"]
