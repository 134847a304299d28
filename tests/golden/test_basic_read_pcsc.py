"""The basic read of `test_basic_read` through a real pcscd, with programs that are not ours.

``scriptor`` (package pcsc-tools) shows raw answers, 61xx and 6Cxx included; ``opensc-tool`` fetches
announced data by itself, as most programs do.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from cardkit.apdu import pcsc
from cardkit.virtual.card import VirtualCard
from tests.bench import Insert
from tests.golden.basic_read import BASIC_READ, FCI, SELECT_SSSE, WRONG_LENGTHS

pytestmark = pytest.mark.pcsc

PATIENCE = 60  # seconds after which a program that hangs is ended


@pytest.fixture
def reader(issued: VirtualCard, insert: Insert) -> str:
    """Name of a reader with the issued card in it."""
    return str(insert(issued).reader)


def run(program: str, *arguments: str) -> str:
    """What a program prints; the test fails with its complaint if it does not end well."""
    if shutil.which(program) is None:
        pytest.skip(f"NOT TESTED: {program} is not installed")
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def scriptor(reader: str, commands: Sequence[str], folder: Path) -> list[str]:
    """Raw answers to some commands, in hex."""
    script = folder / "commands"
    script.write_text("".join(f"{command}\n" for command in commands), encoding="ascii")
    output = run("scriptor", "-r", reader, "-p", "T=0", str(script))
    # "< 61 1E : Command successfully executed; 30 bytes of data available"; long answers go on in
    # further lines.
    answers = re.findall(r"^< ([0-9A-F \n]+?) :", output, re.MULTILINE)
    return ["".join(answer.split()) for answer in answers]


def opensc_tool(reader: str, commands: Sequence[str]) -> list[str]:
    """Data and status word of some commands, in hex."""
    number = str(pcsc.list_readers().index(reader))
    sends = [word for command in commands for word in ("-s", command)]
    output = run("opensc-tool", "-r", number, "-c", "default", *sends)
    answers = re.findall(
        r"SW1=0x([0-9A-F]{2}), SW2=0x([0-9A-F]{2})\)(:?)\n((?:(?:[0-9A-F]{2} )+.*\n?)*)", output
    )
    return [_hex_column(dump) + sw1 + sw2 for sw1, sw2, _, dump in answers]


def _hex_column(dump: str) -> str:
    # "01 10 63 99 ... 9D B1 ..c....": 16 bytes a line, then what can be shown of them.
    return "".join(
        "".join(re.match(r"(?:[0-9A-F]{2} ){1,16}", line)[0].split())  # type: ignore[index]
        for line in dump.splitlines()
        if line
    )


def test_scriptor_shows_the_raw_answers(reader: str, tmp_path: Path) -> None:
    commands = [command for command, _ in BASIC_READ]
    assert scriptor(reader, commands, tmp_path) == [answer for _, answer in BASIC_READ]


def test_scriptor_shows_wrong_lengths(reader: str, tmp_path: Path) -> None:
    commands = [SELECT_SSSE]
    expected = ["611E"]
    for file, command, answer in WRONG_LENGTHS:
        commands += [f"00A4020002{file}", command]
        expected += ["9000", answer]
    assert scriptor(reader, commands, tmp_path) == expected


def test_opensc_tool_reads_the_data(reader: str) -> None:
    reads = [(c, a) for c, a in BASIC_READ if c[2:4] not in ("C0", "A4")]
    selects = {"00B2010412": "00A4020002EF05", "00B2010414": "00A4020002EF06"}
    commands, expected = [f"{SELECT_SSSE}00"], [FCI + "9000"]
    for command, answer in reads:
        if command in selects:
            commands.append(selects[command])
            expected.append("9000")
        commands.append(command)
        expected.append(answer)
    assert opensc_tool(reader, commands) == expected
