"""``cardkit key audit``: what was done with keys."""

from __future__ import annotations

import dataclasses
from itertools import islice
from typing import TYPE_CHECKING

import click

from cardkit.cli import common
from cardkit.cli.key_access import KeyAccess, access_options
from cardkit.cli.output import Output, table
from cardkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from cardkit.history import Head
    from cardkit.keys.audit import AuditLog

FIELDS = (
    "sequence", "instant", "actor", "action", "key", "count", "purpose", "result", "detail",
)  # fmt: skip
HEADINGS = ("NO", "INSTANT", "WHO", "ACTION", "KEY", "COUNT", "RESULT", "DETAIL")


@click.command()
@access_options
@click.option("--verify", is_flag=True, help="Check the whole chain 校验.")
@click.option(
    "--known", metavar="N:DIGEST",
    help="An entry noted down earlier 已记录的条目 that must still be there; with --verify.",
)  # fmt: skip
@click.option(
    "--seal", is_flag=True,
    help="Open the store too, which checks the seal 封签 of the log; with --verify.",
)  # fmt: skip
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="Show the last N entries.")
@common.json_option()
@click.pass_context
def audit(
    ctx: click.Context, access: KeyAccess, known: str | None, last: int | None,
    *, verify: bool, seal: bool, as_json: bool,
) -> None:  # fmt: skip
    """Show what was done with keys 审计, or check that nobody changed the log.

    Answers are reserved before they are given; those of a program that was killed, or still runs,
    are told as open 未结清 by --verify: up to so many were given.

    Told is also where the clock went back, and where the .head file was missing. Who can write
    both the log and its .head file can cut or rewrite both: an encrypted store finds that by its
    seal when it is opened (--seal), unless an older state of both was put back. Note the last
    digest down elsewhere and give it with --known.
    Exit code 1 when something does not agree.
    """
    out, log = Output(as_json=as_json), access.audit()
    if verify:
        if seal:
            with access.file():
                pass  # opening it compares the seal
        if not _verify(log, _head(known), out):
            ctx.exit(ExitCode.PARTIAL)
        return
    lines = list(log.lines())
    shown = list(islice(lines, max(0, len(lines) - last) if last else 0, None))
    out.document([dict(zip(FIELDS, line.fields, strict=True)) for line in shown])
    rows = [
        (str(s.sequence), s.instant, s.entry.actor, s.entry.action, s.entry.key,
         str(s.entry.count), s.entry.result, " ".join((s.entry.purpose, s.entry.detail)).strip())
        for s in shown
    ]  # fmt: skip
    out.lines(table(rows, HEADINGS))


def _verify(log: AuditLog, known: Head | None, out: Output) -> bool:
    """Check the chain, and that nothing was settled that was not reserved; tell both."""
    from cardkit.keys.audit import HEAD_GONE  # noqa: PLC0415

    verdict = log.verify(known)
    open_, backs = (log.reservations(), log.set_backs()) if verdict.intact else ([], [])
    gone = [line.sequence for line in log.lines(HEAD_GONE)]
    out.document(
        {"intact": verdict.intact, "problem": verdict.problem,
         "last": verdict.head.sequence, "digest": verdict.head.digest.hex(),
         "open": [dict(zip(FIELDS, line.fields, strict=True)) for line in open_],
         "sealed": log.sealed(), "set_back": [dataclasses.asdict(back) for back in backs],
         "head_gone": gone}
    )  # fmt: skip
    out.line("audit log 审计日志: " + ("intact 完好" if verdict.intact else verdict.problem))
    out.line(f"  last entry {verdict.head.sequence}, digest {verdict.head.digest.hex()}")
    out.lines(
        f"  open 未结清: entry {line.sequence}, {line.entry.actor}, {line.entry.key}, up to "
        f"{line.entry.count:,} answers ({line.entry.detail})"
        for line in open_
    )
    if log.sealed():
        out.line(f"  sealed 封签 up to entry {log.sealed()}: checked whenever the store is opened")
    out.lines(
        f"  clock set back 时钟倒退: entries {back.first} to {back.last}, {back.instant} behind "
        f"{back.latest}" + (" (accepted 已认可)" if back.accepted else "")
        for back in backs
    )
    out.lines(
        f"  head gone 末尾记录缺失: before entry {number} entries may have been cut off"
        for number in gone
    )
    return verdict.intact


def _head(text: str | None) -> Head | None:
    from cardkit.history import Head  # noqa: PLC0415

    if text is None:
        return None
    number, _, digest = text.partition(":")
    try:
        head = Head(int(number), bytes.fromhex(digest))
    except ValueError:
        head = Head()
    if head.sequence < 1 or len(head.digest) != 32:
        raise UsageError(f"{text!r} is no N:DIGEST", hint="as --verify prints them")
    return head
