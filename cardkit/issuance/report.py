"""The report a clerk reads after a run: counts, what to do, nothing personal but row numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cardkit.issuance.roster.reasons import Reject
from cardkit.issuance.roster.remarks import Language, Remark

_MOST_LINES = 200
_TEXTS: dict[str, tuple[str, str]] = {
    "title": ("制卡报告", "Card issuing report"),
    "run": ("时间 {stamp}　配置 {profile}　花名册 {roster}",
            "time {stamp}, profile {profile}, roster {roster}"),
    "run_of_records": ("时间 {stamp}　配置 {profile}　登记库待制记录",
                       "time {stamp}, profile {profile}, records that waited in the registry"),
    "rows": ("花名册人数", "people in the roster"),
    "records": ("待制记录", "records that waited"),
    "issued": ("本次制卡", "issued now"),
    "elsewhere": ("其他窗口已制卡", "made at other windows meanwhile"),
    "earlier": ("以前已制卡", "issued earlier"),
    "rejected": ("退回（见退回文件）", "rejected (see the reject file)"),
    "failed": ("制卡失败", "failed"),
    "spoilt": ("废卡（已作废，须另册登记销毁）", "spoilt chips (dead; put aside to be destroyed)"),
    "waiting": ("尚待制卡", "still waiting for a card"),
    "begun": ("已开始、未完成", "begun and not finished"),
    "speed": ("用时 {seconds:.0f} 秒，每小时 {rate:.0f} 张",
              "{seconds:.0f} seconds, {rate:.0f} cards an hour"),
    "stopped": ("整批停止：{reason}", "the whole run was stopped: {reason}"),
    "remarks": ("说明", "Remarks"),
    "rejects": ("退回的行", "Rejected rows"),
    "reject": ("第{row}行　{fields}：{reason}", "row {row}, {fields}: {reason}"),
    "failures": ("失败的行", "Failed rows"),
    "failed_records": ("失败的记录", "Failed records"),
    "failed_record": ("记录{row}：{reason}", "record {row}: {reason}"),
    "failure": ("第{row}行：{reason}", "row {row}: {reason}"),
    "spoils": ("废卡原因", "Why chips were spoilt"),
    "refusals": ("被拒绝的卡（未写入任何数据，请放到一边核对）",
                 "Refused cards (nothing was written; put them aside and look into them)"),
    "refusal": ("{count} 张：{reason}", "{count}: {reason}"),
    "unfinished": ("未完成的卡（把卡放回读卡器，再次运行即可完成；卡已损坏则登记为废卡）",
                   "Unfinished cards (put them back and run again; mark a broken one as spoilt)"),
    "unfinished_card": ("第{row}行　卡识别码 {code}", "row {row}, card id code {code}"),
    "unfinished_record": ("记录{row}　卡识别码 {code}", "record {row}, card id code {code}"),
    "more": ("……另有 {count} 行", "... and {count} more"),
    "files": ("文件", "Files"),
}  # fmt: skip
"""Every text, Chinese and English."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of people, but for ``spoilt``, which are chips."""

    rows: int
    issued: int
    elsewhere: int
    earlier: int
    rejected: int
    failed: int
    spoilt: int
    waiting: int
    begun: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the report says; rows are numbered as in the roster file.

    With ``by_record`` there is no such file, and rows are numbers of card records. Refusals are
    reasons, and how many cards were put aside for each.
    """

    stamp: str
    profile: str
    roster: str
    counts: Counts
    seconds: float
    cards_per_hour: float
    remarks: tuple[Remark, ...]
    rejects: tuple[Reject, ...]
    failures: tuple[tuple[int, str], ...]
    spoils: tuple[str, ...]
    refusals: tuple[tuple[str, int], ...]
    unfinished: tuple[tuple[int, str], ...]
    stopped: str
    files: tuple[str, ...]
    by_record: bool = False


def text(key: str, lang: Language, **values: object) -> str:
    """One text in one language."""
    return _TEXTS[key][lang == "en"].format_map(values)


def render(report: Report, lang: Language = "zh") -> str:
    """The report as plain text."""
    return "\n".join(_lines(report, lang)) + "\n"


def _lines(report: Report, lang: Language) -> Iterator[str]:
    by_record = report.by_record
    yield from _head(report, lang)
    if report.counts.issued:
        yield text("speed", lang, seconds=report.seconds, rate=report.cards_per_hour)
    if report.stopped:
        yield ""
        yield text("stopped", lang, reason=report.stopped)
    yield from _section("remarks", lang, [remark.text(lang) for remark in report.remarks])
    yield from _section(
        "rejects",
        lang,
        [
            text("reject", lang, row=r.row, fields=r.fields(lang), reason=r.reason(lang))
            for r in report.rejects[:_MOST_LINES]
        ],
        len(report.rejects),
    )
    title, line = ("failed_records", "failed_record") if by_record else ("failures", "failure")
    yield from _section(
        title, lang, [text(line, lang, row=r, reason=why) for r, why in report.failures]
    )
    yield from _section("spoils", lang, list(report.spoils))
    yield from _section(
        "refusals",
        lang,
        [text("refusal", lang, count=count, reason=why) for why, count in report.refusals],
    )
    unfinished = "unfinished_record" if by_record else "unfinished_card"
    yield from _section(
        "unfinished",
        lang,
        [text(unfinished, lang, row=row, code=code) for row, code in report.unfinished],
    )
    yield from _section("files", lang, list(report.files))


def _head(report: Report, lang: Language) -> Iterator[str]:
    run = "run_of_records" if report.by_record else "run"
    yield text("title", lang)
    yield text(run, lang, stamp=report.stamp, profile=report.profile, roster=report.roster)
    yield ""
    told = {name: name for name in Counts.__slots__}
    if report.by_record:  # nobody is rejected: no row was read
        told["rows"] = "records"
        del told["rejected"]
    for name, label in told.items():
        yield f"{getattr(report.counts, name):>8}  {text(label, lang)}"


def _section(key: str, lang: Language, lines: list[str], total: int = 0) -> Iterator[str]:
    if not lines:
        return
    yield ""
    yield text(key, lang)
    for line in lines[:_MOST_LINES]:
        yield f"  {line}"
    hidden = max(total, len(lines)) - min(len(lines), _MOST_LINES)
    if hidden:
        yield f"  {text('more', lang, count=hidden)}"
