"""`cardkit registry client` as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cardkit.cli.main import main
from tests.registry.support import crowd, enrol, open_at


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "registry.db"
    with open_at(path) as opened:
        enrol(opened, crowd(1))
    # the clock of that registry stands in 2012
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_client_is_registered_listed_and_revoked(
    registry: str, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ("--registry", registry)
    code, out, err = run(
        capsys, "registry", "client", "add", "bank", "--right", "state", "--right", "batch",
        "--network", "10.0.0.0/8", "--json", *at,
    )  # fmt: skip
    assert code == 0
    made = json.loads(out)
    assert len(made["token"]) > 40
    assert made["token"] not in err
    assert made["rights"] == ["batch", "state"]
    _, out, _ = run(capsys, "registry", "client", "list", *at)
    assert "bank" in out
    assert made["token"] not in out
    assert run(capsys, "registry", "client", "rights", "bank", "--right", "state", *at)[0] == 0
    assert run(capsys, "registry", "client", "revoke", "bank", *at)[0] == 0
    code, _, err = run(capsys, "registry", "client", "revoke", "bank", *at)
    assert code == 2
    assert "no active client 'bank'" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("bank", "--right", "state", "--network", "10.0.0.1/8"), "no network"),
        (("two words", "--right", "state"), "without spaces"),
        (("bank",), "Missing option '--right'"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    registry: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    code, _, err = run(capsys, "registry", "client", "add", *words, "--registry", registry)
    assert code == 2
    assert says in err


def test_a_name_is_used_once(registry: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("registry", "client", "add", "bank", "--right", "state", "--registry", registry)
    assert run(capsys, *words)[0] == 0
    code, _, err = run(capsys, *words)
    assert code == 2
    assert "already" in err


def test_nobody_asked_about_a_number_yet(
    registry: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import io  # noqa: PLC0415

    monkeypatch.setattr("sys.stdin", io.StringIO("639900199001010018\n"))
    code, out, _ = run(capsys, "registry", "client", "who-asked", "--json", "--registry", registry)
    assert code == 0
    assert json.loads(out) == []


def test_with_accounts_clients_are_the_administrators_matter(
    registry: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import io  # noqa: PLC0415

    def as_person(*words: str, stdin: str = "") -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code, _, err = run(capsys, *words, "--registry", registry)
        return code, err

    secret = "Correct-Horse-7\n"
    add = ("registry", "client", "add", "bank", "--right", "state")
    made = as_person(
        "operator", "init", "li", "--name", "李明", "--password-stdin", stdin=secret * 2
    )
    assert made[0] == 0, made
    code, err = as_person(*add)
    assert code == 4, err
    assert as_person("operator", "sign-in", "li", "--password-stdin", stdin=secret)[0] == 0
    assert as_person(*add)[0] == 0
