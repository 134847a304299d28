"""What every command has in common: exit codes, errors, streams, and how fast help answers."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import unicodedata
from pathlib import Path

import click
import pytest

import cardkit
from cardkit.cli import failures, main
from cardkit.cli.lazy import Later
from cardkit.errors import RefusedError
from tests.cli.conftest import NAME, Run

HEAVY = (
    "smartcard", "sqlalchemy", "polars", "numpy", "rich", "cryptography", "fastexcel",
    "cardkit.card", "cardkit.issuance", "cardkit.registry", "cardkit.virtual",
)  # fmt: skip


def run_program(*arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
    """The program as a process of its own; ``code`` runs in it after it has ended."""
    script = (
        f"import sys; from cardkit.cli.main import main; code = main({list(arguments)!r}); {code}"
    )
    return subprocess.run(
        [sys.executable, "-c", f"{script}\nsys.exit(code)"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def show_loaded(modules: tuple[str, ...]) -> str:
    """Code that tells which of some modules are loaded."""
    return f"print([m for m in {modules!r} if m in sys.modules], file=sys.stderr)"


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that fail: ``cardkit broken``, ``cardkit refused``, ``cardkit interrupted``."""
    module = "tests.cli.test_main"
    for name in ("broken", "refused", "interrupted"):
        later = Later(f"{module}:{name}", "fails")
        monkeypatch.setitem(main.cli._later, name, later)


@click.command()
@click.option("--json", "as_json", is_flag=True)
def broken(*, as_json: bool) -> None:
    """A bug, in a place where personal data are at hand."""
    holder = NAME
    try:
        int(holder)
    except ValueError as error:
        raise ZeroDivisionError(holder, as_json) from error


@click.command()
@click.option("--json", "as_json", is_flag=True)
def refused(*, as_json: bool) -> None:
    """Refuses."""
    raise RefusedError(f"no\x1b[2J {as_json}", hint="ask")


@click.command()
def interrupted() -> None:
    """Ctrl-C."""
    raise KeyboardInterrupt


def test_help_lists_every_noun_with_its_chinese_term(run: Run) -> None:
    result = run("--help")

    assert result.code == 0
    for noun in ("issue", "reader", "roster", "registry", "card", "pin", "virtual", "doctor"):
        assert f"\n  {noun} " in result.out
    assert "社会保障卡" in result.out


def test_help_fits_a_terminal_of_80_columns(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Chinese character takes two of them."""
    monkeypatch.setenv("COLUMNS", "80")
    for words in ((), ("intake", "identity"), ("issue",), ("card", "verify"), ("registry", "list")):
        for line in run(*words, "--help").out.splitlines():
            wide = sum(unicodedata.east_asian_width(each) in "WF" for each in line)
            assert len(line) + wide <= 80, line


def test_help_imports_nothing_heavy() -> None:
    assert run_program("--help", code=show_loaded(HEAVY)).stderr.strip() == "[]"


def test_help_of_a_command_imports_neither_readers_nor_databases() -> None:
    for command in (["card", "read"], ["registry", "list"], ["issue"], ["virtual", "card"]):
        done = run_program(*command, "--help", code=show_loaded(HEAVY[:7]))
        assert done.stderr.strip() == "[]", command


def test_version(run: Run) -> None:
    assert run("--version").out == f"cardkit {cardkit.__version__}\n"


def test_module_and_program_are_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cardkit", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"cardkit {cardkit.__version__}\n"


def test_wrong_usage_is_one_line_a_hint_and_2(run: Run) -> None:
    result = run("card", "read", "--nonsense")

    assert result.code == 2
    assert result.out == ""
    assert result.err == (
        "cardkit: No such option '--nonsense'.\n  → see `cardkit card read --help`\n"
    )


def test_wrong_usage_is_also_a_json_document(run: Run) -> None:
    result = run("registry", "list", "--json", "--limit", "0")

    assert result.code == 2
    assert result.document["error"]["type"] == "UsageError"
    assert "--limit" in result.document["error"]["message"]


def test_an_unknown_command_is_2(run: Run) -> None:
    assert run("cards").code == 2


@pytest.mark.usefixtures("failing")
def test_an_error_is_one_line_a_hint_and_its_exit_code(run: Run) -> None:
    result = run("refused")

    assert result.code == 4
    assert result.out == ""
    assert result.err == "cardkit: no\\x1b[2J False\n  → ask\n"


@pytest.mark.usefixtures("failing")
def test_an_error_with_json_is_exactly_one_document(run: Run) -> None:
    result = run("refused", "--json")

    assert result.code == 4
    assert result.document == {
        "error": {"type": "RefusedError", "message": "no\x1b[2J True", "hint": "ask"}
    }


def test_a_missing_profile_is_wrong_usage_and_the_shipped_ones_are_named(run: Run) -> None:
    Path("people.csv").write_text("姓名,身份证号码\n", encoding="utf-8")

    result = run("issue", "people.csv", "--reader", "virtual")

    assert result.code == 2
    assert "--profile" in result.err
    assert "shipped profile: test" in result.err


def test_a_setting_stands_for_the_missing_profile(run: Run) -> None:
    Path("cardkit.toml").write_text('profile = "nowhere"', encoding="utf-8")

    assert "no profile nowhere" in run("issue", "people.csv", "--reader", "virtual").err


@pytest.mark.parametrize(
    "command",
    [
        ("operator", "sign-in", "zhao", "--password-stdin"),
        ("operator", "list"),
        ("lifecycle", "lapse"),
        ("lifecycle", "hand-out", 1, "--paper", "id"),
        ("lot", "pack", "C"),
        ("stock", "receive", "blank-card", "--at", "C", "--count", 1),
        ("registry", "client", "add", "hospital-3", "--right", "state"),
        ("registry", "exchange", "partner", "bank", "--layout", "loss-report"),
        ("registry", "serve", "--profile", "test", "--plain-loopback"),
        ("issue", "--waiting", "--profile", "test", "--reader", "virtual"),
    ],
    ids=lambda command: " ".join(map(str, command[:3])),
)
def test_in_another_folder_no_second_registry_begins(run: Run, command: tuple[object, ...]) -> None:
    """Work would go into it, and be missing in the right one."""
    result = run(*command, "--registry", "nowhere.db", stdin="Tea-at-five-1\n")
    assert (result.code, Path("nowhere.db").exists()) == (2, False)
    assert "nowhere.db" in result.err


def test_commands_that_are_not_for_operators_speak_english(run: Run) -> None:
    run("roster", "check", "nowhere.csv")

    assert run("registry", "list", "--registry", "nowhere.db").err.startswith(
        "cardkit: there is no registry at"
    )


@pytest.mark.usefixtures("failing")
def test_ctrl_c_ends_without_a_traceback(run: Run) -> None:
    result = run("interrupted")

    assert result.code == failures.INTERRUPTED
    assert result.err.strip() == "cardkit: stopped"


@pytest.mark.usefixtures("failing")
def test_a_bug_is_70_and_one_line(run: Run) -> None:
    result = run("broken", "--json")

    assert result.code == 70
    assert "Traceback" not in result.err + result.out
    assert result.document["error"]["type"] == "Bug"
    assert NAME not in result.err + result.out


@pytest.mark.usefixtures("failing")
def test_a_bug_leaves_a_private_file_with_places_and_no_data(run: Run) -> None:
    path = Path(run("broken", "--json").document["error"]["details"])

    text = path.read_text(encoding="utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "ZeroDivisionError" in text
    assert "ValueError" in text
    assert "in broken" in text
    assert NAME not in text
    assert repr(NAME) not in text


@pytest.mark.usefixtures("failing")
def test_details_of_a_bug_can_be_asked_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(failures.DEBUG_VARIABLE, "1")

    result = run("broken")

    assert result.code == 70
    assert "Traceback" in result.err


@pytest.mark.usefixtures("failing")
def test_a_bug_is_told_where_nothing_can_be_written(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))

    assert run("broken").code == 70


def test_no_core_dumps_and_files_for_their_owner_only() -> None:
    code = (
        "import os, resource; "
        "print(resource.getrlimit(resource.RLIMIT_CORE), oct(os.umask(0)), file=sys.stderr)"
    )

    assert run_program("--version", code=code).stderr.strip() == "(0, 0) 0o77"


def test_a_closed_pipe_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "cardkit", "--help"],
        stdout=writing, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writing)

    assert done.stderr == ""
    assert done.returncode in (0, 1)


def test_json_stays_json_on_a_console_without_chinese(images: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cardkit", "card", "read", "--json",
         "--image", str(images / "issued.card")],
        env=os.environ | {"PYTHONIOENCODING": "latin-1"}, capture_output=True, check=True,
    )  # fmt: skip

    assert json.loads(done.stdout.decode("ascii"))["SSSE"]["EF06"]["name"] == NAME[:15]
