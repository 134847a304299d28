"""Files that cannot be used as a whole: one line that says where, exit code 2, nothing written."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from tests.faults.window import HEADINGS, Done, Window

ROW = "639900000001,张三,63990019900101001X,,,"
HEAD = ",".join(HEADINGS)

FILES = {
    "no column for the number": (
        "姓名,地址\n张三,1号\n".encode(), "line 1, columns 1-2: no column for 身份证号码",
    ),
    "no headings at all": (f"{ROW}\n{ROW}\n".encode(), "line 1, columns 1-3: no column for 姓名"),
    "unreadable encoding": (
        f"{HEAD}\n{ROW}\n".encode() + b"6399,\xff\xff\xff", "line 3, column 6: not valid UTF-8",
    ),
    "unreadable from the start": (
        b"\x80\xff\n" * 20, "line 1, column 1: neither UTF-8 nor GB18030",
    ),
    "empty": (b"", "line 1, column 1: the file is empty"),
    "blank": (b"\xef\xbb\xbf \r\n\r\n", "line 1, column 1: the file is empty"),
    "headings only": (f"{HEAD}\n".encode(), "line 2, column 1: no row below the heading"),
    "binary garbage": (bytes(range(1, 256)) + bytes(4), "line 2, column"),
    "an old workbook": (bytes.fromhex("D0CF11E0A1B11AE1") + bytes(600), "old kind (.xls)"),
    "a damaged workbook": (b"PK\x03\x04" + bytes(600), "not an Excel workbook"),
    "a line over 1 MiB": (
        f"{HEAD}\n{ROW}\n".encode() + b"1" * (1 << 21), "line 3, column 1048576: the line is",
    ),
}  # fmt: skip


def nothing_written(window: Window, roster: Path) -> bool:
    return set(window.folder.iterdir()) == {roster}


@pytest.mark.parametrize("kind", FILES)
def test_an_unusable_roster_is_one_line_and_nothing_is_written(window: Window, kind: str) -> None:
    content, complaint = FILES[kind]
    roster = window.folder / "roster.csv"
    roster.write_bytes(content)

    done = window.issue(roster)

    assert done.code == 2
    assert done.complaint.startswith("roster.csv")
    assert complaint in done.complaint
    assert done.out == ""
    assert nothing_written(window, roster)


def test_a_roster_that_is_not_there_is_one_line(window: Window) -> None:
    done = window.issue(window.folder / "missing.csv")
    assert (done.code, done.out) == (2, "")
    assert done.complaint == "missing.csv: No such file or directory"


_MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdin=sys.stdin).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024, file=sys.stdout)
sys.exit(code)
"""
LARGE = 300 << 20
MOST_MEMORY = 200 << 20


def pour(pipe: Path, head: bytes, piece: bytes) -> None:
    """Write 300 MB into a named pipe, as long as somebody reads."""
    with pipe.open("wb", buffering=0) as end:
        try:
            end.write(head)
            for _ in range(LARGE // len(piece)):
                end.write(piece)
        except BrokenPipeError:
            return


@pytest.mark.parametrize(
    ("piece", "complaint"),
    [
        (b"x" * (1 << 20), "line 2, column 1048576: the line is longer than 1 MiB"),
        ((b"y" * 1_000_000 + b"\n") * 2, "line 2, column 1: a field of more than 131,072"),
    ],
    ids=["one endless line", "lines just short enough"],
)
def test_a_stream_of_300_mb_stays_under_200_mb_of_memory(
    window: Window, piece: bytes, complaint: str
) -> None:
    pipe = window.folder / "roster.csv"
    os.mkfifo(pipe)
    pouring = threading.Thread(target=pour, args=(pipe, f"{HEAD}\n".encode(), piece))
    pouring.start()

    done = window.run(
        *window.issuing(pipe), wrapper=[sys.executable, "-c", _MEASURE],
        environment={"TMPDIR": str(window.folder)},
    )  # fmt: skip

    pouring.join()
    assert done.code == 2
    assert complaint in done.complaint
    assert int(done.out) < MOST_MEMORY
    assert nothing_written(window, pipe)


def test_output_of_a_failure_is_one_document_for_programs(window: Window) -> None:
    roster = window.folder / "roster.csv"
    roster.write_bytes(b"")
    done: Done = window.run(*window.issuing(roster), "--json")
    assert done.code == 2
    assert set(done.document) == {"error"}
    assert done.document["error"]["type"] == "UsageError"
