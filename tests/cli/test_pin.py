"""``cardkit pin``: PINs never come from a command line and never show."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_the_right_pin_is_right(run: Run, images: Path) -> None:
    image = ("--image", images / "issued.card", "--pin-stdin")

    assert run("pin", "verify", *image, stdin="123456\n").code == 0
    in_directory = run("pin", "verify", *image, "--directory", "df01", "--json", stdin="123456")
    assert in_directory.document == {"directory": "DF01", "verified": True}


def test_a_wrong_pin_is_4_and_shows_the_tries_left(run: Run, images: Path) -> None:
    verify = ("pin", "verify", "--image", images / "issued.card", "--pin-stdin")

    told = [run(*verify, stdin="999999\n") for _ in range(3)]

    assert [result.code for result in told] == [4, 4, 4]
    assert "密码错误，剩余2次" in told[0].err
    assert "剩余1次" in told[1].err
    assert "密码已锁定" in told[2].err
    assert run(*verify, stdin="123456\n").code == 4
    assert all("999999" not in result.out + result.err for result in told)


def test_english_on_request_and_both_for_programs(run: Run, images: Path) -> None:
    image = ("--image", images / "issued.card", "--pin-stdin")

    english = run("pin", "verify", *image, "--lang", "en", stdin="999999\n")
    document = run("pin", "verify", *image, "--json", stdin="999999\n").document

    assert english.err == (
        "cardkit: wrong PIN, 2 tries left\n  → check the PIN before the next try\n"
    )
    assert document["error"]["message"] == "wrong PIN, 1 tries left"
    assert document["error"]["zh"] == "密码错误，剩余1次：请核对密码后再试"


def test_a_changed_pin_is_the_new_one(run: Run, images: Path) -> None:
    image = ("--image", images / "issued.card", "--pin-stdin")

    changed = run("pin", "change", *image, "--json", stdin="123456\n87654321\n")

    assert changed.document == {"directory": "SSSE", "changed": True}
    assert run("pin", "verify", *image, stdin="87654321\n").code == 0
    assert run("pin", "verify", *image, stdin="123456\n").code == 4


def test_a_change_with_the_wrong_pin_changes_nothing(run: Run, images: Path) -> None:
    image = ("--image", images / "issued.card", "--pin-stdin")

    assert run("pin", "change", *image, stdin="111111\n222222\n").code == 4
    assert run("pin", "verify", *image, stdin="123456\n").code == 0


@pytest.mark.parametrize("typed", ["", "123456\n", "\n123456\n"])
def test_a_change_wants_two_lines(run: Run, images: Path, typed: str) -> None:
    image = ("--image", images / "issued.card", "--pin-stdin")

    assert run("pin", "change", *image, stdin=typed).code == 2


@pytest.mark.parametrize("typed", ["12a456", "123", "1" * 17, "１２３４５６"])
def test_what_is_no_pin_is_never_sent(run: Run, images: Path, typed: str) -> None:
    path = images / "issued.card"
    before = path.read_bytes()

    result = run("pin", "verify", "--image", path, "--pin-stdin", stdin=typed + "\n")

    assert result.code in (2, 4)
    assert typed not in result.err
    assert path.read_bytes() == before


def test_a_directory_that_is_none_is_2(run: Run, images: Path) -> None:
    image = ("--image", images / "issued.card", "--pin-stdin")

    assert run("pin", "verify", *image, "--directory", "DF99", stdin="123456").code == 2


def test_file_and_standard_input_exclude_each_other(run: Run, images: Path, tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("123456", encoding="ascii")
    both = ("--pin-stdin", "--pin-file", tmp_path / "pin")

    assert run("pin", "verify", "--image", images / "issued.card", *both).code == 2


def test_a_missing_pin_file_is_2(run: Run, images: Path) -> None:
    image = ("--image", images / "issued.card")

    assert run("pin", "verify", *image, "--pin-file", "nowhere").code == 2
