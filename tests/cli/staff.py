"""People who work at a window of the command line, all signed in, and their cheap passwords."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardkit.registry.operators import passwords
from cardkit.registry.operators.passwords import Cost
from tests.cli.conftest import Result, Run

PASSWORD = "Tea-at-five"
PEOPLE = (("wang", "window"), ("zhao", "window"), ("chen", "county"))


def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    dear = passwords.hashed
    cost = Cost(passes=1, lanes=1, kibibytes=64)
    monkeypatch.setattr(passwords, "hashed", lambda password, _cost: dear(password, cost))


def staff(run: Run, registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An administrator who signs off again, and `PEOPLE`."""
    cheap(monkeypatch)
    monkeypatch.setenv("CARDKIT_PROFILE", "test")
    monkeypatch.setenv("CARDKIT_REGISTRY", str(registry))
    done(run("operator", "init", "boss", "--name", "管理员", stdin=PASSWORD))
    sign_in(run, "boss")
    for login, role in PEOPLE:
        done(run("operator", "add", login, "--name", "某人", "--role", role, stdin=PASSWORD))
    run("operator", "sign-off")
    for login, _ in PEOPLE:
        sign_in(run, login)


def done(result: Result) -> Result:
    assert result.code == 0, result.err
    return result


def sign_in(run: Run, login: str) -> None:
    done(run("operator", "sign-in", login, stdin=PASSWORD))
