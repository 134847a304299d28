"""``cardkit card shell``, spoken to through a pipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardkit.card.files import GENERATION_2
from cardkit.card.files.model import InternalFile
from cardkit.cli.shell import WORDS
from tests.cli.conftest import CARD_NUMBER, NAME, Result, Run


@pytest.fixture
def talk(run: Run, images: Path) -> Run:
    def talk_it(*lines: str, profile: str = "") -> Result:
        options = ("--profile", profile) if profile else ()
        text = "".join(f"{line}\n" for line in lines)
        return run("card", "shell", "--image", images / "issued.card", *options, stdin=text)

    return talk_it


def test_the_end_of_the_input_ends_it(talk: Run) -> None:
    assert talk().code == 0


def test_what_follows_quit_is_not_done(talk: Run) -> None:
    assert talk("quit", "00A4000002EF99").out == ""


def test_help_lists_every_word(talk: Run) -> None:
    shown = talk("help").out
    assert all(f"  {word}" in shown for word in WORDS)


def test_a_free_item_is_read_by_its_address(talk: Run) -> None:
    assert CARD_NUMBER in talk("read SSSE.EF05.07").out


def test_addresses_are_relative_to_what_is_selected(talk: Run) -> None:
    shown = talk("select SSSE", "read EF06.09 EF05.07").out

    assert NAME[:15] in shown
    assert CARD_NUMBER in shown


def test_read_alone_reads_what_is_open(talk: Run) -> None:
    shown = talk("select DF03", "verify", "123456", "read").out

    assert "DF03 EF19" in shown
    assert "DF03 EF05" not in shown  # wants a key as well


def test_a_key_of_the_profile_opens_the_rest(talk: Run) -> None:
    lines = ("select DF03", "verify", "123456", "auth RK1", "read EF05")

    assert "201201" in talk(*lines, profile="test").out
    assert "there are no keys" in talk(*lines).out


def test_a_refused_read_says_why_and_the_talk_goes_on(talk: Run) -> None:
    result = talk("read DF01.EF05", "read SSSE.EF05.07")

    assert "6982" in result.out
    assert CARD_NUMBER in result.out
    assert result.code == 4


def test_hex_is_sent_as_it_is(talk: Run) -> None:
    result = talk("00A404000F7378312E73682EC9E7BBE1B1A3D5CF", "apdu 00 B2 03 2C 06  # version")

    assert "0304322E30309000  done" in result.out
    assert result.code == 0


def test_it_knows_what_raw_commands_have_selected(talk: Run) -> None:
    assert "SSSE 社会保障环境" in talk("00A4000002DDF1", "info").out
    assert "SSSE 社会保障环境" in talk("select SSSE", "select EF05", "info").out
    assert "unknown" in talk("select SSSE", "reset", "info").out


def test_levels_are_lost_with_the_directory(talk: Run) -> None:
    lines = ("select DF01", "verify", "123456", "select DF02", "select DF01", "read EF08")

    assert "6982" in talk(*lines).out


def test_the_tree_names_every_file_and_what_opens_it(talk: Run) -> None:
    shown = talk("tree").out

    for directory in GENERATION_2.directories:
        assert directory.aid.hex().upper() in shown
        for file in directory.files:
            assert isinstance(file, InternalFile) or file.label in shown
    assert "read PIN and RK1, update UK1" in shown


@pytest.mark.parametrize(
    "line", ["nonsense", "select", "select nowhere", "read", "read EF99.01", "auth UK1",
             'select "', "apdu 00", "apdu"],
)  # fmt: skip
def test_a_mistake_is_told_and_ends_nothing(talk: Run, line: str) -> None:
    result = talk(line, "read SSSE.EF05.07")

    assert result.code == 2
    assert CARD_NUMBER in result.out


def test_a_pin_behind_a_verify_that_fails_is_never_sent_as_a_command(talk: Run) -> None:
    result = talk("verify", "00B2072C0B", "read SSSE.EF05.07")

    assert "nothing is selected" in result.out
    assert "00B2072C0B" not in result.out
    assert result.out.count(CARD_NUMBER) == 1, "the reading behind it goes on"


def test_a_wrong_pin_costs_one_try_and_shows_the_rest(talk: Run) -> None:
    result = talk("select SSSE", "verify", "999999")

    assert "2 tries left" in result.out
    assert "999999" not in result.out
    assert result.code == 4
