"""``cardkit registry migrate|backup|restore|accept-clock``: the database under the registry."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardkit.cli import common
from cardkit.cli.output import Output
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.registry.backup import Taken

_PASSPHRASE_FILE = click.option(
    "--passphrase-file",
    type=common.PATH,
    help="File whose first line is the passphrase 口令; - reads it from standard input.",
)


@click.command()
@common.registry_option()
@click.option("--check", is_flag=True, help="Only say whether there is anything to do.")
@common.lang_option(only_errors=True)
@common.json_option()
def migrate(registry: str | None, *, check: bool, as_json: bool) -> None:
    """Bring a registry of an earlier version up to date 升级; the data stay.

    All of it or nothing. A file is copied beside itself first; of a database on a server take a
    backup with the old program, before this one is installed, or pg_dump. Programs that are running
    meanwhile change nothing any more and say so.
    """
    from cardkit.registry import migrating  # noqa: PLC0415

    out = Output(as_json=as_json)
    url = common.registry_url(registry)
    common.refuse_missing(url)
    done = migrating.migrate(url, clock=common.now, actor=common.operator(), check=check)
    out.document(
        {
            "from": done.found,
            "to": done.layout,
            "needed": done.needed,
            "done": done.needed and not check,
            "copy": str(done.copy) if done.copy else None,
        }
    )
    if not done.needed:
        out.line(f"the registry has layout {done.layout} already: nothing to do")
    elif check:
        out.line(f"the registry has layout {done.found}, migrating makes it {done.layout}")
    else:
        out.line(f"the registry has layout {done.layout} now; it had {done.found}")
        if done.copy:
            out.line(f"as it was: {done.copy}")


@click.command()
@click.argument("file", type=common.PATH)
@common.registry_option()
@click.option(
    "--to", "recipients", multiple=True, metavar="AGE1...",
    help="Public key 公钥 of age that can open it (age-keygen makes a pair). Several: repeat it.",
)  # fmt: skip
@_PASSPHRASE_FILE
@common.lang_option(only_errors=True)
@common.json_option()
def backup(
    file: Path,
    registry: str | None,
    recipients: tuple[str, ...],
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Write the whole registry to FILE 备份, encrypted, while others work.

    Without --to a passphrase is asked for. The file is as of one instant. Note down the digest that
    is printed: it tells whether a history ends where it should.
    """
    from cardkit.registry import backup as backups  # noqa: PLC0415
    from cardkit.registry.sealing import Lock  # noqa: PLC0415

    out = Output(as_json=as_json)
    if recipients and passphrase_file:
        raise UsageError("public keys or a passphrase, not both", hint="leave one of them out")
    words = "" if recipients else _passphrase(passphrase_file, confirm=True)
    with common.open_registry(registry, only_look=True) as opened:
        taken = backups.take(opened.books, file, Lock(recipients, words))
    _tell(out, file, taken, "written to")


@click.command()
@click.argument("file", type=common.PATH)
@common.registry_option(text="Where to 恢复到: a new file, or the URL of an empty database.")
@click.option(
    "--identity", type=common.PATH, help="File with the secret key 私钥 of age (of age-keygen)."
)
@_PASSPHRASE_FILE
@common.lang_option(only_errors=True)
@common.json_option()
def restore(
    file: Path,
    registry: str | None,
    identity: Path | None,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Put a backup FILE back 恢复, into an empty place only.

    Everything is checked on the way, the whole history too: complete and right, or nothing is left
    behind. An SQLite file can be restored into PostgreSQL and the other way round.
    """
    from cardkit.cli import places  # noqa: PLC0415
    from cardkit.registry import restoring  # noqa: PLC0415
    from cardkit.registry.sealing import Key, identities_in  # noqa: PLC0415

    out = Output(as_json=as_json)
    restoring.refuse_other_files(file)
    if identity is not None:
        key = Key(identities_in(_lines(identity)))
    else:
        key = Key(passphrase=_passphrase(passphrase_file, confirm=False))
    if registry is None:
        places.make_private(places.data_directory())
    url = common.registry_url(registry)
    taken = restoring.restore(file, url, key, clock=common.now, actor=common.operator())
    _tell(out, file, taken, "restored from")


@click.command("accept-clock")
@common.registry_option()
@click.option("--reason", required=True, help="Why 原因, for the history. No personal data.")
@common.lang_option(only_errors=True)
@common.json_option()
def accept_clock(registry: str | None, reason: str, *, as_json: bool) -> None:
    """Go on at this computer's time although the history ends later 校时.

    For when an earlier clock was wrong. The history keeps both instants and the reason.
    """
    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        books = opened.books
        with books.store.writing() as connection:
            now = books.store.now()
            books.journal.accept_clock(connection, now, reason)
    out.document({"instant": now, "reason": reason})
    out.line(f"the history goes on at {now}")


def _tell(out: Output, file: Path, taken: Taken, what: str) -> None:
    digest = taken.head.digest.hex()
    out.document(
        {
            "file": str(file),
            "taken_at": taken.taken_at,
            "layout": taken.layout,
            "rows": taken.rows,
            "history": {"sequence": taken.head.sequence, "digest": digest},
        }
    )
    out.line(f"{taken.rows} rows, as of {taken.taken_at}, {what} {file}")
    out.line(f"the history in it ends with entry {taken.head.sequence}, digest {digest}")


def _passphrase(file: Path | None, *, confirm: bool) -> str:
    """Asked for, or the first line of a file; never an argument."""
    if file is None and not sys.stdin.isatty():
        raise UsageError(
            "there is nobody to ask for a passphrase",
            hint="--passphrase-file, or a key of age",
            zh="无法询问口令：请用 --passphrase-file，或使用 age 密钥",
        )
    if file is None:
        words: str = click.prompt(
            "Passphrase 口令", hide_input=True, confirmation_prompt=confirm, err=True
        )
    elif str(file) == "-":
        words = sys.stdin.readline().rstrip("\r\n")
    else:
        words = next(iter(_lines(file)), "")
    if not words:
        raise UsageError("the passphrase is empty", hint="give one", zh="口令为空")
    return words


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            f"{file} cannot be read", hint="name another file", zh=f"不能读取 {file}"
        ) from None
