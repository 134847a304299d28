"""Recording a session: into memory, into a file, masked by default."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cardkit.apdu.link import LinkLostError, chain
from cardkit.apdu.mask import Masker
from cardkit.apdu.trace import UNMASKED, VERSION, parse, to_text
from cardkit.apdu.trace_link import Recorder, TraceLink, TraceWriter, trace_file
from cardkit.errors import UsageError

ATR = bytes.fromhex("3B6D0000")


class Chip:
    """Answers from a table; without an entry the card is gone."""

    def __init__(self, **answers: str) -> None:
        self._answers = answers
        self.atr = ATR

    def transmit(self, apdu: bytes) -> bytes:
        try:
            return bytes.fromhex(self._answers[f"x{apdu.hex()}"])
        except KeyError:
            raise LinkLostError("gone") from None

    def reset(self) -> bytes:
        self.atr = ATR + b"\x01"
        return self.atr


def ticking() -> Iterator[float]:
    """A clock on which every exchange takes a quarter of a second."""
    now = 0.0
    while True:
        now += 0.25
        yield now


def record(chip: Chip, *commands: str, unmask: bool = False) -> str:
    out = io.StringIO()
    clock = ticking()
    link = TraceLink(chip, TraceWriter(out, unmask=unmask), lambda: next(clock))
    for command in commands:
        link.transmit(bytes.fromhex(command))
    return out.getvalue()


def test_every_exchange_is_written_with_its_time() -> None:
    chip = Chip(x0084000002="55559000", x00a4000002df01="6A82")
    assert record(chip, "0084000002", "00A4000002DF01") == (
        f"{VERSION}\n* 3B6D0000\n"
        "> 00840000 02\n< 5555 9000 +0.250000\n"
        "> 00A40000 02 DF01\n< 6A82 +0.250000\n"
    )


def test_secrets_are_masked_unless_everything_is_asked_for() -> None:
    chip = Chip(x0020000003123456="63C2")
    assert "> 00200000 03 ******\n" in record(chip, "0020000003123456")
    assert "WARNING" not in record(chip, "0020000003123456")

    everything = record(chip, "0020000003123456", unmask=True)
    assert "> 00200000 03 123456\n" in everything
    assert everything.split("\n")[1] == UNMASKED


def test_what_is_written_can_be_read() -> None:
    text = record(Chip(x0020000003123456="63C2"), "0020000003123456")
    assert to_text(parse(text)) == text


def test_a_card_that_is_lost_leaves_its_command_in_the_trace() -> None:
    recorder = Recorder()
    link = TraceLink(Chip(), recorder, lambda: 0.0)
    with pytest.raises(LinkLostError):
        link.transmit(b"\x00\x84\x00\x00\x08")
    assert to_text(recorder.trace) == f"{VERSION}\n* 3B6D0000\n> 00840000 08\n"


def test_a_reset_is_recorded_and_ends_what_waits() -> None:
    recorder = Recorder()
    link = TraceLink(Chip(), recorder, lambda: 0.0)
    assert link.reset() == link.atr == ATR + b"\x01"
    assert to_text(recorder.trace) == f"{VERSION}\n* 3B6D0000\n* 3B6D000001\n"


def test_next_to_the_chip_the_trace_shows_how_t0_moves_data() -> None:
    chip = Chip(x00a4000002df01="6102", x00c0000002="6F009000")
    inside, outside = Recorder(), Recorder()
    link = TraceLink(chain(TraceLink(chip, inside, lambda: 0.0)), outside, lambda: 0.0)

    assert link.transmit(bytes.fromhex("00A4000002DF0100")).hex() == "6f009000"

    assert [str(e.command) for e in inside.trace.exchanges] == ["00A4000002DF01", "00C0000002"]
    assert [str(e.command) for e in outside.trace.exchanges] == ["00A4000002DF0100"]
    assert inside.trace.raw
    assert not outside.trace.raw


class Words:
    """Calls everything by the same words."""

    def __init__(self) -> None:
        self.resets = 0

    def reset(self) -> None:
        self.resets += 1

    def annotate(self, command: bytes, answer: bytes | None) -> str:  # noqa: ARG002
        return "two\nlines"


def test_words_stand_behind_the_command_on_one_line() -> None:
    out, words = io.StringIO(), Words()
    link = TraceLink(Chip(x00840000="6700"), TraceWriter(out, annotator=words), lambda: 0.0)
    link.transmit(bytes.fromhex("00840000"))
    link.reset()
    assert "> 00840000  # two lines\n" in out.getvalue()
    assert words.resets == 2


def test_every_exchange_is_one_write_so_that_lines_are_never_torn() -> None:
    writes: list[str] = []

    class Out(io.StringIO):
        def write(self, text: str) -> int:
            writes.append(text)
            return len(text)

    link = TraceLink(Chip(x00840000="6700"), TraceWriter(Out()), lambda: 0.0)
    link.transmit(bytes.fromhex("00840000"))
    assert writes[2:] == ["> 00840000\n< 6700 +0.000000\n"]


# --- files ---------------------------------------------------------------------------------------


def write(path: Path) -> None:
    with trace_file(path, heading="reader A") as sink:
        TraceLink(Chip(x00840000="6700"), sink, lambda: 0.0).transmit(bytes.fromhex("00840000"))


def test_only_the_owner_may_read_a_trace(tmp_path: Path) -> None:
    path = tmp_path / "a.trace"
    before = os.umask(0)
    try:
        write(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith(f"{VERSION}\n# reader A\n* 3B6D0000\n")


def test_an_older_trace_is_replaced_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "a.trace"
    path.write_text(f"{VERSION}\n" + "# old\n" * 100)
    path.chmod(0o644)
    write(path)
    assert "old" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_any_other_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text("姓名,证件号码\n")
    with pytest.raises(UsageError, match="not overwritten"):
        write(path)
    assert path.read_text() == "姓名,证件号码\n"


def test_a_link_to_another_file_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("")
    (tmp_path / "a.trace").symlink_to(target)
    with pytest.raises(UsageError, match=r"a\.trace"):
        write(tmp_path / "a.trace")
    assert target.read_text() == ""


def test_a_folder_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        write(tmp_path / "none" / "a.trace")


def test_lines_are_in_the_file_before_the_next_command(tmp_path: Path) -> None:
    path = tmp_path / "a.trace"
    with trace_file(path) as sink:
        TraceLink(Chip(x00840000="6700"), sink, lambda: 0.0).transmit(bytes.fromhex("00840000"))
        assert path.read_text().endswith("< 6700 +0.000000\n")


def test_a_masker_follows_one_session_only() -> None:
    # Two sinks beside each other must not share what waits.
    first, second = Masker(), Masker()
    first.mask(bytes.fromhex("00A4000002DF01"), b"\x61\x02")
    assert str(second.mask(bytes.fromhex("00C0000002"), b"\x55\x55\x90\x00")[1]) == "****9000"
