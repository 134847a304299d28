"""What an inspector may: read everything, change nothing; for every command that knows a registry.

A command that is added has to be put into one of the lists here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from sqlalchemy import create_engine, select

from cardkit.cli.common import now
from cardkit.cli.main import cli
from cardkit.errors import ExitCode
from cardkit.registry.operators import Operators, Role
from cardkit.registry.operators.passwords import Cost
from cardkit.registry.places import PlaceRow, Places
from cardkit.registry.registry import Registry, sqlite_url
from cardkit.registry.schema import metadata
from cardkit.registry.stock import Order, Stock
from tests.cli.conftest import Run
from tests.registry.support import begin, crowd, enrol

PASSWORD = "Tea-at-five-1"
CHEAP = Cost(passes=1, lanes=1, kibibytes=64)

READING = {
    "lifecycle temporary list": "",
    "registry list": "--full", "registry show": "1 --full", "registry export": "people-out.csv",
    "registry audit": "--verify", "registry statistics": "", "registry places list": "",
    "registry archive list": "", "registry archive register": "", "lot list": "", "lot show": "1",
    "stock balance": "", "stock show": "", "lifecycle legal": "1", "lifecycle chip pending": "",
    "operator list": "", "approval list": "", "forms list": "", "registry exchange status": "",
    "registry client list": "", "registry sample list": "",
}  # fmt: skip
"""What an inspector reads, and how it is called here."""

OWN = {
    "registry sample draw", "registry sample result", "registry sample show",  # inspection itself
    "operator sign-in", "operator sign-off", "operator password", "operator init",
}  # fmt: skip
"""What an inspector does in their own name."""

ELSEWHERE = {
    "doctor", "roster check", "card verify", "registry serve",  # they look, or run for ever
    "registry migrate", "registry backup", "registry restore", "registry accept-clock",
    "forms verify", "registry exchange look", "registry exchange proposals list",
    "registry client who-asked", "intake list", "intake show", "intake identity",
    "intake duplicates", "intake match", "pin unlock", "pin reset", "lifecycle lapse",
    "approval request",  # asks only; what is asked for has its own role
}  # fmt: skip
"""What other tests look at: readings of other rooms, care of the database, cards in readers."""

CHANGING = {
    "stock receive": "psam --at C --first P1",
    "stock move": "receipt --at C --to W --first SJ01 --ask",
    "stock use": "receipt --at C --first SJ01",
    "stock spoil": "receipt --at C --first SJ01 --reason other",
    "stock destroy": "receipt --at C --first SJ01 --minutes M1",
    "stock return": "receipt --at C --first SJ01",
    "stock write-off": "receipt --at C --first SJ01 --minutes M1",
    "stock find": "receipt --at C --first SJ01 --minutes M1",
    "stock correct": "1 --reason other",
    "stock count": "receipt --at C --range SJ01",
    "lot pack": "C", "lot unpack": "1 --reason other", "lot take": "1 list.json",
    "lot out": "1 --cards li --with-machine sun",
    "lot hand-over": "1 --to li", "lot pick-up": "1", "lot merge": "outcome.json",
    "lot back": "1", "lot close": "1",
    "registry places load": "places.csv", "registry places assign": "",
    "registry archive bind": "C", "registry archive lend": "1 --to X --purpose Y",
    "registry archive back": "1",
    "registry spoil": "2 --reason 6581 --yes",
    "registry exchange partner": "bank --layout bank-opening",
    "issue": "people.csv --profile test --reader virtual",
    "roster enrol": "people.csv --profile test",
}  # fmt: skip
"""What takes another role; how it is called so that only the role is in the way."""

LIFECYCLE = ("lifecycle ", "intake ", "operator ", "approval ", "forms ", "registry exchange ",
             "registry client ", "registry spoil", "registry proposals")  # fmt: skip
"""Rooms whose own tests refuse the wrong role; here they must not change anything."""

KEPT = ("history", "sessions", "counters", "acts", "approvals", "schema_version", "operators")
"""Tables in which an attempt may leave a trace."""


def commands(
    command: click.Command = cli, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """Every command that works with a registry."""
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            below = command.get_command(click.Context(command), name)
            assert below is not None
            yield from commands(below, (*path, name))
    elif any(one.name == "registry" for one in command.params):
        yield " ".join(path), command


def test_every_command_is_in_one_list() -> None:
    found = {name for name, _ in commands()}
    others = {name for name in found if name.startswith(LIFECYCLE)}
    named = READING.keys() | OWN | ELSEWHERE | CHANGING.keys()
    assert found - others == {name for name in named if not name.startswith(LIFECYCLE)}
    assert named <= found


@pytest.fixture
def county(run: Run, registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry with stock and an inspector, who is signed in."""
    monkeypatch.chdir(tmp_path)
    with Registry.open(sqlite_url(registry), clock=now, actor="test") as opened:
        people = Operators(opened.books, cost=CHEAP)
        root = people.init("root", "管理员", PASSWORD)
        li = people.add("li", "测试", [Role.COUNTY], PASSWORD, by=root)
        people.add("sun", "测试", [Role.INSPECTOR], PASSWORD, by=root)
        rows = [PlaceRow("C", "county", "县"), PlaceRow("W", "window", "窗", "C")]
        Places(opened.books).load(rows, operator=li)
        order = Order("receive", "receipt", "C", "SJ01", "SJ09")
        Stock(opened.books).do(order, operator=li)
        enrol(opened, crowd(2))
        begin(opened, opened.get(2))
    (tmp_path / "places.csv").write_text("code,kind,name,parent\nX,village,村,C\n", "utf-8")
    (tmp_path / "outcome.json").write_text(
        '{"format":"cardkit lot outcome 1","lot_id":1,"digest":"","seal":"","rows":[]}', "utf-8"
    )
    run("roster", "sample", "2", "--seed", "9", "--out", tmp_path / "people.csv")
    signed = run("operator", "sign-in", "sun", "--password-stdin", "--registry", registry,
                 stdin=PASSWORD + "\n")  # fmt: skip
    assert signed.code == 0
    return registry


def state(registry: Path) -> dict[str, list[tuple[object, ...]]]:
    """What the tables say, without traces of attempts."""
    engine = create_engine(sqlite_url(registry))
    with engine.connect() as connection:
        found = {
            name: [tuple(row) for row in connection.execute(select(metadata.tables[name]))]
            for name in metadata.tables
            if name not in KEPT
        }
    engine.dispose()
    return found


def asked(command: click.Command) -> list[str]:
    """Something for every argument and required option, where no list says what."""
    words: list[str] = []
    for one in command.params:
        if one.required:
            kind = one.type
            value = str(kind.choices[0]) if isinstance(kind, click.Choice) else "1"
            value = "places.csv" if isinstance(kind, click.Path) else value
            words += [value] if isinstance(one, click.Argument) else [one.opts[0], value]
    return words


def test_an_inspector_changes_nothing(run: Run, county: Path) -> None:
    before, wrong = state(county), {}
    for name, command in commands():
        if name in READING or name in OWN or name in ELSEWHERE:
            continue
        words = CHANGING[name].split() if name in CHANGING else asked(command)
        stdin = f"经办\n639900197001010013\n{PASSWORD}\n"
        done = run(*name.split(), *words, "--registry", county, stdin=stdin)
        if name in CHANGING and done.code != ExitCode.REFUSED and "--ask" not in words:
            wrong[name] = f"{done.code}: {done.err[:150]}"
        if done.code == 0 and "--ask" not in words:
            wrong[name] = "was done"
        if state(county) != before:
            wrong[name] = "changed something"
            before = state(county)
    assert wrong == {}


def test_an_inspector_reads_everything_and_somebody_unknown_no_personal_data(
    run: Run, county: Path
) -> None:
    wrong = {
        name: f"{done.code}: {done.err[:150]}"
        for name, words in READING.items()
        if name not in ("lot show", "lifecycle legal")  # there is none yet
        if (done := run(*name.split(), *words.split(), "--registry", county)).code
        and "no such card" not in done.err
    }
    assert wrong == {}
    run("operator", "sign-off", "--registry", county)
    for name in ("registry list", "registry show", "registry export", "lot show",
                 "registry archive register"):  # fmt: skip
        done = run(*name.split(), *READING[name].split(), "--registry", county)
        assert done.code == ExitCode.REFUSED, (name, done.err)
