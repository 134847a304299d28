"""Flags come first, then variables, then the files."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardkit.cli.common import operator
from tests.cli.conftest import CARD_NUMBER, NAME, Run


def settings(text: str, folder: Path = Path()) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cardkit.toml").write_text(text, encoding="utf-8")


def test_a_file_gives_defaults_to_every_command_with_that_option(run: Run, registry: Path) -> None:
    settings(f'registry = "{registry}"')

    assert len(run("registry", "list", "--json").document) == 3


def test_a_flag_comes_before_the_file(run: Run, registry: Path) -> None:
    settings('registry = "/nowhere/at-all.db"')

    assert run("registry", "list", "--registry", registry).code == 0


def test_a_variable_comes_before_the_file(
    run: Run, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings('registry = "/nowhere/at-all.db"')
    monkeypatch.setenv("CARDKIT_REGISTRY", str(registry))

    assert run("registry", "list").code == 0


def test_a_flag_comes_before_a_variable(
    run: Run, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARDKIT_REGISTRY", "/nowhere/at-all.db")

    assert run("registry", "list", "--registry", registry).code == 0


def test_the_current_directory_comes_before_the_users_own(
    run: Run, registry: Path, tmp_path: Path
) -> None:
    settings('registry = "/nowhere/at-all.db"\nlang = "en"', tmp_path / "home/.config/cardkit")
    settings(f'registry = "{registry}"')

    assert run("registry", "list").code == 0


def test_one_command_can_have_settings_of_its_own(run: Run, registry: Path) -> None:
    settings(f'registry = "{registry}"\n[command."registry list"]\nfull = true\nstate = "issued"')

    result = run("registry", "list")

    assert NAME in result.out
    assert len(result.out.splitlines()) == 2  # heading and the one that is issued
    assert NAME not in run("registry", "show", "1").out


def test_language_comes_from_the_file(run: Run) -> None:
    settings('lang = "en"')

    assert run("roster", "sample", "1", "--out", "x.csv").out.startswith("sample roster")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("regsitry = 1", "unknown setting regsitry"),
        ("registry = ", "Invalid value"),
        ('command = "x"', "[command] holds tables"),
        ('[command."registry list"]\nful = true', "has no option ful"),
    ],
)
def test_a_wrong_setting_is_named(run: Run, text: str, message: str, registry: Path) -> None:
    settings(text)

    result = run("registry", "list", "--registry", registry)

    assert result.code == 2
    assert message in result.err


def test_settings_are_not_needed(run: Run, images: Path) -> None:
    assert CARD_NUMBER in run("card", "read", "--image", images / "issued.card").out


@pytest.mark.parametrize(
    ("variables", "who"),
    [
        ({"LOGNAME": "gu"}, "gu"),
        ({"LOGNAME": "keys", "SUDO_USER": "gu"}, "gu"),  # sudo -u keys cardkit ...
        ({"LOGNAME": "keys", "SUDO_USER": "root", "CARDKIT_OPERATOR": "window"}, "window"),
    ],
)
def test_who_is_accountable(
    variables: dict[str, str], who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CARDKIT_OPERATOR", "SUDO_USER", "LOGNAME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert operator() == who
