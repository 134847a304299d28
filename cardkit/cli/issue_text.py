"""What the operator reads while cards are made, in Chinese and in English."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardkit.issuance.batch import Event

Language = Literal["zh", "en"]

_TEXTS: dict[str, tuple[str, str]] = {
    "start": (
        "花名册 {roster}：{rows} 人，合格 {good}，退回 {rejected}；本次制卡 {wanted} 张",
        "roster {roster}: {rows} people, {good} good, {rejected} rejected; {wanted} cards to make",
    ),
    "start_waiting": ("登记库待制：本次制卡 {wanted} 张",
                      "waiting in the registry: {wanted} cards to make"),
    "stock": (
        "{place} 账上只有 {held} 张空白卡，少于本次制卡数",
        "{place} has {held} blank cards by the books, fewer than cards to make",
    ),
    "readers": ("读卡器：{names}。请放卡；按 Ctrl-C 在当前卡完成后停止",
                "readers: {names}. Put cards in; Ctrl-C stops after the current card"),
    "issued": ("[{done}/{total}] {reader}　{whose}　已制卡{left}",
               "[{done}/{total}] {reader}  {whose}  issued{left}"),
    "row": ("第{number}行", "row {number}"),
    "record": ("记录{number}（不在本花名册）", "record {number}, not in this roster"),
    "own_record": ("记录{number}", "record {number}"),
    "left": ("　剩余约 {time}", "  about {time} left"),
    "spoilt": ("{reader}　{whose}　废卡：{error}　请换一张卡",
               "{reader}  {whose}  chip spoilt: {error}. Put in another card"),
    "failed": ("{reader}　{whose}　失败：{error}", "{reader}  {whose}  failed: {error}"),
    "refused": ("{reader}　拒绝此卡：{error}", "{reader}  card refused: {error}"),
    "lost": ("{reader}　{error}", "{reader}  {error}"),
    "waiting": ("等待：{error}", "waiting: {error}"),
    "stopped": ("整批停止：{error}", "the whole run stops: {error}"),
    "stopping": ("正在停止：当前卡完成后结束（再按一次 Ctrl-C 立即中断）",
                 "stopping after the current card (Ctrl-C again breaks off at once)"),
    "nothing": ("没有待制的卡", "no card is waiting to be made"),
    "done": (
        "完成：制卡 {issued}，退回 {rejected}，失败 {failed}，废卡 {spoilt}，未完成 {open}",
        "done: {issued} issued, {rejected} rejected, {failed} failed, {spoilt} spoilt, {open} open",
    ),
    "done_shared": (
        ("完成：本窗口制卡 {issued}，其他窗口制卡 {elsewhere}，退回 {rejected}，失败 {failed}，"
         "废卡 {spoilt}，未完成 {open}"),
        ("done: {issued} issued here, {elsewhere} at other windows, {rejected} rejected, "
         "{failed} failed, {spoilt} spoilt, {open} open"),
    ),
    "rate": ("每小时 {rate:.0f} 张", "{rate:.0f} cards an hour"),
    "rehearsal": (
        "试运行（{chips}，不接触任何卡片和登记库），第一张卡的指令，个人信息和密钥已隐藏：",
        ("rehearsal ({chips}; no card and no registry is touched), commands of the first card, "
         "personal data and secrets hidden:"),
    ),
    "premade": ("预制卡", "pre-made card"),
    "complete": ("完整预制卡", "complete pre-made card"),
    "blank": ("空白卡", "blank chip"),
    "a_card": (
        "每张卡 {commands} 条指令，发送 {sent} 字节，接收 {received} 字节",
        "{commands} commands a card, {sent} bytes sent, {received} received",
    ),
    "speed": (
        "{speed:>7} bit/s：每张 {seconds:.2f} 秒，每小时 {rate:.0f} 张，{count} 张共 {total}",
        ("{speed:>7} bit/s: {seconds:.2f} s a card, {rate:.0f} an hour, {total} for {count} cards "
         "at one reader, without handling"),
    ),
    "other_speed": (
        "{speed:>7} bit/s：每张 {seconds:.2f} 秒，每小时 {rate:.0f} 张（需芯片的 ATR 支持）",
        "{speed:>7} bit/s: {seconds:.2f} s a card, {rate:.0f} an hour, if the chip's ATR offers it",
    ),
    "report": ("报告：{path}", "report: {path}"),
    "rejects": ("退回文件：{path}", "reject file: {path}"),
    "returned": ("回盘文件：{path}", "return list: {path}"),
}  # fmt: skip


def text(key: str, lang: Language, **values: object) -> str:
    """One text in one language."""
    return _TEXTS[key][lang == "en"].format_map(values)


def event_line(event: Event, lang: Language, row_of: Mapping[int, int] | None) -> str:
    """One line for something that happened at a reader; rows instead of names.

    Parameters
    ----------
    row_of : mapping or None
        Row in the roster of this run, by card record: the registry knows the row of the roster
        that named the person first. None where no roster is behind the run.
    """
    left = whose = ""
    if event.card_id is not None:
        whose = _whose(event.card_id, lang, row_of)
    total = event.issued + event.remaining
    if event.issued and event.remaining:
        left = text("left", lang, time=duration(event.seconds / event.issued * event.remaining))
    return text(
        event.what.value,
        lang,
        reader=event.reader,
        whose=whose,
        done=event.issued,
        total=total,
        left=left,
        error=event.error.line(lang) if event.error else "",
    )


def _whose(card_id: int, lang: Language, row_of: Mapping[int, int] | None) -> str:
    if row_of is None:
        return text("own_record", lang, number=card_id)
    known = card_id in row_of
    return text("row" if known else "record", lang, number=row_of[card_id] if known else card_id)


def duration(seconds: float) -> str:
    """Hours, minutes and seconds.

    Examples
    --------
    >>> duration(3725)
    '1:02:05'
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
