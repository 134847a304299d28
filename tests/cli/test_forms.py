"""``cardkit forms`` as a window uses it: a loss, its certificate, a check, a reprint."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

PASSWORD = "Tea-at-five-1"


@pytest.fixture
def window(run: Run, registry: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """A signed-in person of the window and a lost card; number of the loss."""
    monkeypatch.setenv("CARDKIT_REGISTRY", str(registry))
    two = f"{PASSWORD}\n{PASSWORD}\n"
    run("operator", "init", "root", "--name", "管理员", "--password-stdin", stdin=two)
    run("operator", "sign-in", "root", "--password-stdin", stdin=two)
    for login in ("zhao", "qian"):
        added = run(
            "operator", "add", login, "--name", f"测试{login}", "--role", "window",
            "--operator", "root", "--password-stdin", stdin=two,
        )  # fmt: skip
        assert added.code == 0, added.err
    assert run("operator", "sign-in", "zhao", "--password-stdin", stdin=two).code == 0
    monkeypatch.setenv("CARDKIT_OPERATOR_LOGIN", "zhao")
    given = run("lifecycle", "hand-out", "1", "--paper", "id", "--second", "qian", stdin=two)
    assert given.code == 0, given.err
    lost = run("lifecycle", "report-loss", "1", "--paper", "id", "--json")
    assert lost.code == 0, lost.err
    return int(lost.document["act_id"])


def test_a_certificate_is_printed_checked_and_printed_again(
    run: Run, window: int, tmp_path: Path
) -> None:
    out, again = tmp_path / "loss.pdf", tmp_path / "again.pdf"

    made = run("forms", "print", "loss", "--act", window, "--out", out, "--json")
    assert made.code == 0, made.err
    checked = run("forms", "verify", made.document["code"], "--json")
    number = made.document["number"]
    printed = run("forms", "reprint", number.lower(), "--reason", "lost", "--out", again, "--json")

    assert out.read_bytes().startswith(b"%PDF-")
    assert out.stat().st_mode & 0o777 == 0o600
    assert checked.document["finding"] == "genuine"
    assert checked.document["document"]["number"] == number
    assert checked.document["shows"]["业务"] == "正式挂失"
    assert (printed.code, printed.document["reprints"]) == (0, 1)
    assert again.read_bytes() != out.read_bytes()
    (listed,) = run("forms", "list", "--json").document
    assert (listed["number"], listed["reprints"], listed["made_by"]) == (number, 1, "zhao")
    assert run("registry", "audit", "--verify").code == 0


def test_a_second_original_is_refused_in_one_chinese_line(
    run: Run, window: int, tmp_path: Path
) -> None:
    run("forms", "print", "loss", "--act", window, "--out", tmp_path / "a.pdf")

    second = run("forms", "print", "loss", "--act", window, "--out", tmp_path / "b.pdf")

    assert second.code == 2
    assert "补打" in second.err
    assert second.err.count("\n") == 1
    assert not (tmp_path / "b.pdf").exists()
    assert not list(tmp_path.glob(".*.part"))


def test_nothing_is_recorded_when_the_file_cannot_be_written(
    run: Run, window: int, tmp_path: Path
) -> None:
    made = run("forms", "print", "loss", "--act", window, "--out", tmp_path / "no" / "a.pdf")

    assert made.code == 2
    assert run("forms", "list", "--json").document == []


def test_nobody_prints_without_signing_in(run: Run, window: int, tmp_path: Path) -> None:
    run("operator", "sign-off")

    made = run("forms", "print", "loss", "--act", window, "--out", tmp_path / "a.pdf")

    assert made.code == 4
    assert run("forms", "list", "--json").document == []


def test_an_unknown_code_is_said_to_be_unknown(run: Run, window: int) -> None:
    found = run("forms", "verify", "0000-0000-0000")

    assert window
    assert found.code == 1
    assert "查无此码" in found.out


def test_the_papers_there_are(run: Run) -> None:
    shown = {line["kind"]: line for line in run("forms", "templates", "--json").document}

    assert len(shown) == 9
    assert shown["receipt"]["numbered_form"]
    assert shown["receipt"]["copies"] == 3
