"""``cardkit lot``: packs of cards that leave the office, and come back counted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardkit.cli import common, desk
from cardkit.cli.output import Output, table
from cardkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from cardkit.registry.lots import Lot, Lots, LotStory, MergeResult, Pack
    from cardkit.registry.registry import Registry

_HEADINGS = ("LOT", "KIND", "PLACE", "STATE", "CARDS", "HANDED", "RETURNED", "MISSING", "OPEN",
             "CONFLICTS")  # fmt: skip
_IDENTITY = click.option(
    "--identity", type=common.PATH, help="File with the age key 私钥 that opens an encrypted file."
)


@click.group()
def lot() -> None:
    """Hand-out lots 发放批次: packed, out with two people, back and counted.

    A lot is called L000012 or 12. Who works is signed in (cardkit operator sign-in).
    """


def _acting(command: Any) -> Any:  # noqa: ANN401
    for option in reversed(
        (
            common.registry_option(),
            desk.operator_option(),
            desk.rules_option(),
            common.lang_option(only_errors=True),
            common.json_option(),
            click.pass_context,
        )
    ):
        command = option(command)
    return command


def _room(opened: Registry, ctx: click.Context) -> Lots:
    from cardkit.registry.lots import Lots  # noqa: PLC0415

    return Lots(opened.books, desk.lifecycle_of(opened, ctx))


def number_of(text: str) -> int:
    """The number of a lot.

    Examples
    --------
    >>> number_of("L000012"), number_of("12")
    (12, 12)
    """
    digits = text.strip().upper().removeprefix("L")
    if not digits.isdecimal() or len(digits) > 9:
        raise UsageError(f"{text!r} is no lot", hint="such as L000012; `cardkit lot list`")
    return int(digits)


@lot.command()
@click.argument("place", metavar="PLACE")
@click.option(
    "--kind", type=click.Choice(["village-day", "township", "employer"]), default="village-day",
    show_default=True, help="How the cards reach their holders.",
)  # fmt: skip
@click.option("--each-village", is_flag=True, help="A lot for every village below PLACE.")
@click.option(
    "--card", "cards", multiple=True, type=int, help="Only these card records. Repeat it."
)
@_acting
def pack(
    ctx: click.Context,
    place: str,
    kind: str,
    cards: tuple[int, ...],
    registry: str | None,
    *,
    each_village: bool,
    as_json: bool,
) -> None:
    """Pack the finished cards of the people of a PLACE 装袋."""
    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        operator, room = desk.signed_in(opened, ctx), _room(opened, ctx)
        if each_village:
            made = room.pack_villages(place, operator=operator)
        else:
            made = [room.pack(place, kind, operator=operator, card_ids=cards or None)]
    out.document([one.as_json() for one in made])
    out.lines(_listed(made))


@lot.command()
@click.argument("which", metavar="LOT")
@click.argument("target", metavar="FILE", type=common.PATH)
@click.option(
    "--to", "recipient", metavar="AGE-KEY", help="Encrypt it to this public age key 公钥."
)
@_acting
def take(
    ctx: click.Context,
    which: str,
    target: Path,
    recipient: str | None,
    registry: str | None,
    *,
    as_json: bool,
) -> None:
    """Write the FILE a lot takes along where there is no network 数据包.

    Encrypted with --to it has names and citizen numbers; otherwise they are masked.
    """
    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        desk.signed_in(opened, ctx)
        packed = _room(opened, ctx).pack_file(number_of(which))
    content = packed.to_json(full=recipient is not None).encode()
    if recipient is not None:
        from cardkit.registry.exchange import sealing  # noqa: PLC0415

        sealing.check_recipient(recipient)
        content = sealing.seal(content, recipient)
    _write(target, content)
    out.document({"file": str(target), "cards": len(packed.cards), "digest": packed.digest})
    out.line(f"{len(packed.cards)} cards in {target}, list {packed.digest[:16]}")


@lot.command("take-down")
@click.argument("pack_file", metavar="PACK", type=common.PATH)
@click.argument("rows", metavar="CSV", type=common.PATH)
@click.argument("target", metavar="OUTCOME", type=common.PATH)
@click.option(
    "--to", "recipient", metavar="AGE-KEY", help="Encrypt it to this public age key 公钥."
)
@_IDENTITY
@common.lang_option(only_errors=True)
@common.json_option()
def take_down(
    pack_file: Path,
    rows: Path,
    target: Path,
    recipient: str | None,
    identity: Path | None,
    *,
    as_json: bool,
) -> None:
    """Seal what was written down in the village 封存结果; needs no registry and no network.

    CSV has the columns position and outcome (handed, returned), and where an agent came: appeared,
    agent_name, agent_number, agent_phone, relation.
    """
    from cardkit.registry.lots import files  # noqa: PLC0415

    out = Output(as_json=as_json)
    taken: Pack = files.read_pack(_text(pack_file, identity))
    outcome = files.take_down(taken, _text(rows, None))
    content = outcome.to_json().encode()
    if recipient is not None:
        from cardkit.registry.exchange import sealing  # noqa: PLC0415

        sealing.check_recipient(recipient)
        content = sealing.seal(content, recipient)
    elif any(row.agent for row in outcome.rows):
        raise UsageError(
            "agents' names do not leave in clear",
            hint="--to AGE-KEY: the public key of the centre",
            zh="结果含代办人信息，须加密：请用 --to 指定中心的公钥",
        )
    _write(target, content)
    out.document({"file": str(target), "rows": len(outcome.rows), "lot": taken.lot_id})
    out.line(f"{len(outcome.rows)} rows sealed in {target}")


@lot.command()
@click.argument("which", metavar="LOT")
@click.option("--cards", "card_carrier", required=True, metavar="LOGIN", help="Carries the cards.")
@click.option(
    "--with-machine", "machine_carrier", required=True, metavar="LOGIN",
    help="Carries the machine 机具: somebody else.",
)  # fmt: skip
@click.option("--machine", default="", metavar="NUMBER", help="Number of the machine in stock.")
@click.option(
    "--machine-kind", type=click.Choice(["pos", "psam"]), default="pos", show_default=True
)
@_acting
def out(
    ctx: click.Context, which: str, registry: str | None, *, as_json: bool, **given: str
) -> None:
    """Two people leave with a lot 带出: one has the cards, the other the machine."""
    screen = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        done = _room(opened, ctx).out(number_of(which), operator=operator, **given)
    screen.document(done.as_json())
    screen.lines(_listed([done]))


@lot.command("hand-over")
@click.argument("which", metavar="LOT")
@click.option("--to", required=True, metavar="LOGIN", help="Who takes the cards.")
@_acting
def hand_over(
    ctx: click.Context, which: str, to: str, registry: str | None, *, as_json: bool
) -> None:
    """The cards go from you to somebody else on the way 途中交接."""
    screen = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        done = _room(opened, ctx).hand_over(number_of(which), to, operator=operator)
    screen.document(done.as_json())
    screen.line(f"{done.name}: the cards are with {done.card_carrier}")


@lot.command()
@click.argument("file", type=common.PATH)
@_IDENTITY
@_acting
def merge(
    ctx: click.Context, file: Path, identity: Path | None, registry: str | None, *, as_json: bool
) -> None:
    """Take over the outcome FILE of a lot 合并结果; the same file twice changes nothing.

    Exit code 1 when the registry could not follow everything: the conflicts are named.
    """
    from cardkit.registry.lots import files  # noqa: PLC0415

    screen = Output(as_json=as_json)
    outcome = files.read_outcome(_text(file, identity))
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        result = _room(opened, ctx).merge(outcome, operator=operator)
    screen.document(result.as_json())
    screen.lines(_merged(result))
    if result.conflicts:
        ctx.exit(ExitCode.PARTIAL)


@lot.command()
@click.argument("which", metavar="LOT")
@click.option(
    "--returned", default="", metavar="LIST", help="Positions that came back, such as 3,7-9."
)
@_acting
def back(
    ctx: click.Context, which: str, returned: str, registry: str | None, *, as_json: bool
) -> None:
    """Receive a lot 带回: what was not handed out is counted, card by card.

    Exit code 1 when cards are neither handed out nor back.
    """
    screen = Output(as_json=as_json)
    positions = positions_of(returned)
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        story = _room(opened, ctx).back(number_of(which), positions, operator=operator)
    screen.document(story.as_json())
    screen.lines(_told(story))
    if story.open_cards:
        ctx.exit(ExitCode.PARTIAL)


def positions_of(text: str) -> list[int]:
    """Numbers and spans.

    Examples
    --------
    >>> positions_of("3, 7-9")
    [3, 7, 8, 9]
    """
    found: list[int] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        first, _, last = part.partition("-")
        if not (first.isdecimal() and (last or first).isdecimal() and len(part) < 20):
            raise UsageError(f"{part!r} is no position", hint="such as 3,7-9")
        found.extend(range(int(first), int(last or first) + 1))
    return found


@lot.command()
@click.argument("which", metavar="LOT")
@click.option("--minutes", default="", metavar="NUMBER", help="Explains a difference 记录编号.")
@desk.second_options
@_acting
def close(
    ctx: click.Context,
    which: str,
    minutes: str,
    approval: int | None,
    second: str | None,
    registry: str | None,
    *,
    as_json: bool,
) -> None:
    """End a lot 核销; with cards missing it takes minutes and two people."""
    screen = Output(as_json=as_json)
    number = number_of(which)
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        approved = desk.approval(
            opened, ctx, "lot-close", number, operator=operator, number=approval, second=second
        )
        story = _room(opened, ctx).close(
            number, operator=operator, minutes=minutes, approval=approved
        )
    screen.document(story.as_json())
    screen.lines(_told(story))


@lot.command()
@click.argument("which", metavar="LOT")
@common.registry_option()
@desk.rules_option()
@common.json_option()
@click.pass_context
def show(ctx: click.Context, which: str, registry: str | None, *, as_json: bool) -> None:
    """A lot: who had it, what is open, what the registry could not follow."""
    screen = Output(as_json=as_json)
    with common.open_registry(registry, must_exist=True) as opened:
        story = _room(opened, ctx).show(number_of(which))
    screen.document(story.as_json())
    screen.lines(_told(story))


@lot.command("list")
@click.option("--state", type=click.Choice(["packed", "out", "back", "closed"]))
@common.registry_option()
@desk.rules_option()
@common.json_option()
@click.pass_context
def list_(ctx: click.Context, state: str | None, registry: str | None, *, as_json: bool) -> None:
    """Lots 批次列表 with their counts."""
    screen = Output(as_json=as_json)
    with common.open_registry(registry, must_exist=True) as opened:
        found = _room(opened, ctx).list(state or "")
    screen.list_document(one.as_json() for one in found)
    screen.lines(_listed(found))


# --- text ----------------------------------------------------------------------------------------


def _listed(found: list[Lot]) -> list[str]:
    rows = [
        (one.name, one.kind, one.place, one.state, str(one.count), str(one.handed),
         str(one.returned), str(one.missing), str(one.unknown), str(one.conflicts))
        for one in found
    ]  # fmt: skip
    return table(rows, _HEADINGS)


def _told(story: LotStory) -> list[str]:
    lines = _listed([story.lot])
    lines += [
        f"  {one.instant}  {one.what}: {one.from_who or 'packed'} → {one.to_who}, {one.count}"
        for one in story.custody
    ]
    lines += [f"  open: position {at}, card record {card}" for at, card in story.open_cards]
    lines += [f"  conflict: position {c.position}: {c.detail}" for c in story.conflicts]
    return lines


def _merged(result: MergeResult) -> list[str]:
    again = "; this file was merged before, nothing changed" if result.again else ""
    head = (
        f"{result.handed} handed out, {result.returned} returned, {result.already} known before, "
        f"{len(result.conflicts)} conflicts{again}"
    )
    return [
        head,
        *(f"  position {c.position}: {c.kind}: {c.detail}" for c in result.conflicts),
    ]


# --- files ---------------------------------------------------------------------------------------


def _text(path: Path, identity: Path | None) -> str:
    from cardkit.registry.exchange import sealing  # noqa: PLC0415

    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint="name a file") from None
    if sealing.is_sealed(content):
        if identity is None:
            raise UsageError(
                f"{path} is encrypted", hint="--identity FILE with the age key that opens it",
                zh=f"{path} 已加密：请用 --identity 指明私钥文件",
            )  # fmt: skip
        content = sealing.open_sealed(content, identity)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no UTF-8 text", hint="save it as UTF-8") from None


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        handle = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", hint="name another file"
        ) from None
