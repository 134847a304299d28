"""What the commands of ``cardkit lot`` share: options, text, files."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardkit.cli import common, desk
from cardkit.cli.output import say, table
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.registry.lots import Lot, Lots, LotStory, MergeResult
    from cardkit.registry.lots.records import Conflict
    from cardkit.registry.registry import Registry

_HEADINGS = {
    "zh": ("批次", "方式", "地点", "状态", "张数", "已发放", "带回", "缺失", "未结", "未登记"),
    "en": ("LOT", "KIND", "PLACE", "STATE", "CARDS", "HANDED", "RETURNED", "MISSING", "OPEN",
           "NOT FOLLOWED"),
}  # fmt: skip
_KINDS = {"village-day": "进村发放", "township": "乡镇发放", "employer": "单位领取"}
_STATES = {"packed": "已装袋", "out": "已带出", "back": "已带回", "closed": "已核销",
           "unpacked": "已拆袋"}  # fmt: skip
_THINGS = {"cards": "卡片", "machine": "机具"}
_CONFLICTS = {
    "state": "中心状态不符",
    "refused": "规则不允许",
    "twice": "文件内重复",
    "contradicts": "与先前文件矛盾",
    "other-lot": "属于其他批次",
    "other-card": "序号与卡不符",
    "unknown-card": "登记库中没有此卡",
    "came-back": "登记为已发放，实际带回",
}
IDENTITY = click.option(
    "--identity", type=common.PATH, help="File with the age key 私钥 that opens an encrypted file."
)


def room_of(opened: Registry, ctx: click.Context) -> Lots:
    """The lots of a registry."""
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


def listed(found: list[Lot]) -> list[str]:
    """Lots as a table."""
    rows = [
        (one.name, say(_KINDS[one.kind], one.kind), one.place, say(_STATES[one.state], one.state),
         str(one.count), str(one.handed), str(one.returned), str(one.missing), str(one.unknown),
         str(one.conflicts))
        for one in found
    ]  # fmt: skip
    return table(rows, say(_HEADINGS["zh"], _HEADINGS["en"]))


def told(story: LotStory, ctx: click.Context) -> list[str]:
    """Everything about a lot."""
    local = desk.rules_of(ctx).calendar.local
    lines = listed([story.lot])
    for one in story.custody:
        what = say(_THINGS[one.what] + "：", f"{one.what}: ")
        giver = one.from_who or say("装袋", "packed")
        lines.append(f"  {local(one.instant)}  {what}{giver} → {one.to_who}, {one.count}")
    if story.clerk:
        lines.append(say(f"  领取人：{story.clerk}", f"  collected by {story.clerk}"))
    lines += [
        say(f"  未结：第{at}号，记录{card}", f"  open: position {at}, card record {card}")
        for at, card in story.open_cards
    ]
    lines += [say("  冲突：", "  conflict: ") + _named(conflict) for conflict in story.conflicts]
    return lines


def _named(one: Conflict) -> str:
    return say(
        f"第{one.position}号：{_CONFLICTS[one.kind]}（{one.detail}）",
        f"position {one.position}: {one.kind}: {one.detail}",
    )


def merged(result: MergeResult) -> list[str]:
    """What came of a file."""
    conflicts = len(result.conflicts)
    head = say(
        f"发放{result.handed}，带回{result.returned}，先前已登记{result.already}，冲突{conflicts}"
        + ("；此文件已合并过，没有改动" if result.again else ""),
        f"{result.handed} handed out, {result.returned} returned, "
        f"{result.already} known before, {conflicts} conflicts"
        + ("; this file was merged before, nothing changed" if result.again else ""),
    )
    return [head, *(f"  {_named(conflict)}" for conflict in result.conflicts)]


def read_text(path: Path, identity: Path | None) -> str:
    """A file that may be encrypted; what a spreadsheet saved may be GB18030."""
    from cardkit.registry.exchange import sealing  # noqa: PLC0415

    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", hint="name a file",
            zh=f"{path} 不能读取：{error.strerror}",
        ) from None  # fmt: skip
    if sealing.is_sealed(content):
        if identity is None:
            raise UsageError(
                f"{path} is encrypted", hint="--identity FILE with the age key that opens it",
                zh=f"{path} 已加密：请用 --identity 指明私钥文件",
            )  # fmt: skip
        content = sealing.open_sealed(content, identity)
    for encoding in ("utf-8-sig", "gb18030"):
        with suppress(UnicodeDecodeError):
            return content.decode(encoding)
    raise UsageError(
        f"{path} is neither UTF-8 nor GB18030 text", hint="save it as UTF-8",
        zh=f"{path} 的编码无法识别：请另存为 UTF-8",
    )  # fmt: skip
