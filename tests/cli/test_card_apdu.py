"""``cardkit card apdu``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

SELECT = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF"
FCI = "6F1C840F7378312E73682EC9E7BBE1B1A3D5CFA50988011E9F0C03860101"


def test_the_answer_is_printed_whole(run: Run, images: Path) -> None:
    result = run("card", "apdu", SELECT, "00B2032C06", "--image", images / "issued.card")

    assert result.code == 0
    assert result.out == f"{FCI}9000  done\n0304322E30309000  done\n"


def test_raw_answers_are_those_of_a_t0_card(run: Run, images: Path) -> None:
    result = run(
        "card", "apdu", "--raw", SELECT, "00C000001E", "00B2032C00", "00B2032C06",
        "--image", images / "issued.card",
    )  # fmt: skip

    assert result.code == 0
    assert [line.split()[0] for line in result.out.splitlines()] == [
        "611E", f"{FCI}9000", "6C06", "0304322E30309000",
    ]  # fmt: skip


def test_a_command_may_be_written_with_spaces(run: Run, images: Path) -> None:
    result = run("card", "apdu", "00 84:00 00 08", "--image", images / "issued.card", "--json")

    (answer,) = result.document
    assert len(answer["data"]) == 16
    assert answer["sw"] == "9000"


def test_commands_come_from_standard_input_with_comments(run: Run, images: Path) -> None:
    text = f"{SELECT}\n\n# the PIN\n0020000003123456 # right\n"

    result = run("card", "apdu", "-", "--json", "--image", images / "issued.card", stdin=text)

    assert [answer["sw"] for answer in result.document] == ["9000", "9000"]
    assert "123456" not in result.out + result.err


@pytest.mark.parametrize(
    ("command", "code"),
    [("00A4000002EF99", 1), ("00B2012C12", 1), ("00DC0530060504FFFFFFFF", 4), ("00E2000000", 1)],
)
def test_the_exit_code_tells_what_the_card_refused(
    run: Run, images: Path, command: str, code: int
) -> None:
    # Without SELECT the current directory is the MF, which has neither record nor right.
    first = SELECT if command.startswith("00DC") else "0084000008"

    assert run("card", "apdu", first, command, "--image", images / "issued.card").code == code


def test_it_stops_at_the_first_refusal_unless_told_otherwise(run: Run, images: Path) -> None:
    commands = ("card", "apdu", "--image", images / "issued.card", "00A4000002EF99", "0084000008")

    assert len(run(*commands).out.splitlines()) == 1
    going = run(*commands, "--keep-going")
    assert len(going.out.splitlines()) == 2
    assert going.code == 1


@pytest.mark.parametrize("text", ["00", "00A4zz00", "0", "", "card"])
def test_what_is_no_command_is_2_and_not_repeated(run: Run, images: Path, text: str) -> None:
    result = run("card", "apdu", SELECT, text, "--image", images / "issued.card")

    assert result.code == 2
    assert result.out == ""  # nothing was sent before all of it was understood
    assert "zz" not in result.err


def test_a_spent_try_stays_spent(run: Run, images: Path) -> None:
    wrong = ("card", "apdu", SELECT, "0020000003111111", "--image", images / "issued.card")

    assert [run(*wrong).out.split()[-3] for _ in range(3)] == ["2", "1", "0"]
