"""``cardkit registry migrate|backup|restore|accept-clock`` as an administrator runs them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pyrage
import pytest

from cardkit.cli.main import main
from cardkit.registry.registry import sqlite_url
from tests.registry.support import assert_consistent, crowd, enrol, open_at
from tests.registry.test_migrating import with_layout_1


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    code = main(["registry", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.db"


@pytest.fixture
def keys(tmp_path: Path) -> tuple[str, Path]:
    """Public key, and the file with the secret one as age-keygen writes it."""
    identity = pyrage.x25519.Identity.generate()
    file = tmp_path / "key.txt"
    file.write_text(f"# created: today\n# public key: {identity.to_public()}\n{identity}\n")
    return str(identity.to_public()), file


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://w:geheim@127.0.0.1:1/x",
        "postgres://w:@h/x",
        "postgresql://w@/x?a=b&password=geheim",
    ],
)
def test_a_password_in_a_url_is_refused(capsys: pytest.CaptureFixture[str], url: str) -> None:
    """The list of processes shows the command line to everybody."""
    for command in (["list"], ["migrate"], ["client", "list"]):
        code, out, said = run(capsys, *command, "--registry", url)
        assert (code, out) == (2, "")
        assert "PGPASSWORD" in said
        assert "geheim" not in said


def test_migrate(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    with_layout_1(sqlite_url(path))
    code, _, said = run(capsys, "list", "--registry", str(path))
    assert (code, "cardkit registry migrate" in said) == (2, True)
    code, out, _ = run(capsys, "migrate", "--check", "--json", "--registry", str(path))
    assert (code, json.loads(out)["needed"], json.loads(out)["done"]) == (0, True, False)
    code, out, _ = run(capsys, "migrate", "--json", "--registry", str(path))
    done = json.loads(out)
    assert (code, done["from"], done["to"], done["done"]) == (0, 1, 2, True)
    assert Path(done["copy"]).exists()
    assert run(capsys, "audit", "--verify", "--registry", str(path))[0] == 0


def test_migrate_makes_no_registry(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    code, _, said = run(capsys, "migrate", "--registry", str(path))
    assert (code, path.exists()) == (2, False)
    assert "没有登记库" in said


def test_backup_and_restore_with_keys(
    capsys: pytest.CaptureFixture[str], path: Path, keys: tuple[str, Path], tmp_path: Path
) -> None:
    public, identity = keys
    with open_at(path) as registry:
        enrol(registry, crowd(5))
    file, new = tmp_path / "monday.backup", tmp_path / "new.db"
    code, out, _ = run(
        capsys, "backup", str(file), "--to", public, "--json", "--registry", str(path)
    )
    taken = json.loads(out)
    assert code == 0
    code, out, _ = run(
        capsys, "restore", str(file), "--identity", str(identity), "--json", "--registry", str(new)
    )
    assert (code, json.loads(out)) == (0, taken)
    with sqlite3.connect(new) as restored:
        assert restored.execute("SELECT count(*) FROM people").fetchone() == (5,)
    restored.close()


def test_backup_and_restore_with_a_passphrase(
    capsys: pytest.CaptureFixture[str], path: Path, tmp_path: Path
) -> None:
    open_at(path).close()
    words = tmp_path / "words"
    words.write_text("correct horse 电池\n", encoding="utf-8")
    file, new = tmp_path / "b", tmp_path / "new.db"
    option = ("--passphrase-file", str(words))
    assert run(capsys, "backup", str(file), *option, "--registry", str(path))[0] == 0
    assert run(capsys, "restore", str(file), *option, "--registry", str(new))[0] == 0
    words.write_text("wrong\n", encoding="utf-8")
    other = tmp_path / "other.db"
    code, _, said = run(capsys, "restore", str(file), *option, "--registry", str(other))
    assert (code, other.exists()) == (4, False)
    assert "密钥或口令打不开" in said


def test_a_passphrase_is_asked_for_or_read_never_given(
    capsys: pytest.CaptureFixture[str], path: Path, tmp_path: Path
) -> None:
    open_at(path).close()
    code, _, said = run(capsys, "backup", str(tmp_path / "b"), "--registry", str(path))
    assert (code, "--passphrase-file" in said) == (2, True)


def test_accept_clock(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    with open_at(path) as registry:
        enrol(registry, crowd(1))
        books = registry.books
        with books.store.writing() as connection:
            books.journal.accept_clock(connection, "2999-01-01T00:00:00.000Z", "test")
    reason = ("--reason", "battery was empty")
    code, out, _ = run(capsys, "accept-clock", *reason, "--json", "--registry", str(path))
    assert (code, json.loads(out)["reason"]) == (0, "battery was empty")
    with open_at(path) as registry:
        assert_consistent(registry)


def test_restore_tells_what_is_no_backup_before_it_asks_for_a_passphrase(
    capsys: pytest.CaptureFixture[str], path: Path, tmp_path: Path
) -> None:
    roster = tmp_path / "people.csv"
    roster.write_text("name,sex\n", encoding="utf-8")
    code, _, said = run(capsys, "restore", str(roster), "--registry", str(path))
    assert (code, path.exists()) == (2, False)
    assert "people.csv 不是备份文件" in said
