"""Photos of many people at once: a folder or a list of files, and a report for a clerk.

A file is named after its person: the citizen number stands in its name, alone or with the name
(``639900199001010014.jpg``, ``张测试_639900199001010014.jpg``); or a manifest, CSV in UTF-8 or
GB18030 with the headings ``citizen_number`` and ``file``, says whose it is.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from cardkit.codec.numbers import NumberError, parse_citizen_number
from cardkit.errors import UsageError
from cardkit.registry.books import Books
from cardkit.registry.intake.duplicates import normalised
from cardkit.registry.intake.photos import Photos, PhotoTakenError

if TYPE_CHECKING:
    from cardkit.registry.intake.photo import PhotoVerdict

CHUNK = 200
"""Photos that become durable together."""

SUFFIXES = {".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".heic"}
"""Files of a folder that are looked at; those that are no JPEG are named as such."""

_NUMBER = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")
_AROUND = re.compile(r"[\s_\-=.,()（）]+")

Check = Callable[[bytes], "PhotoVerdict"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file and whose photo it is said to be; not shown by ``repr``.

    Parameters
    ----------
    citizen_number, name : str
        ``''`` when not said.
    """

    path: Path = field(repr=False)
    citizen_number: str = field(repr=False)
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Line:
    """What became of a file: ``taken``, ``same`` (it was there), or the code of a reason."""

    file: str = field(repr=False)
    code: str
    zh: str
    en: str


_REASONS = {
    "taken": ("已导入", "taken"),
    "same": ("与现有照片相同", "the photo was there already"),
    "no_number": (
        "文件名中没有唯一的18位公民身份号码",
        "no citizen number, or several, in the file's name",
    ),
    "bad_number": ("公民身份号码有误", "the citizen number cannot be right"),
    "unknown": ("登记库中没有此人", "the registry does not know this person"),
    "name_differs": ("文件名中的姓名与登记库不符", "the name disagrees with the registry"),
    "twice": ("同一人有多张照片，请只保留一张", "several photos of one person"),
    "unreadable": ("文件不能读取", "the file cannot be read"),
    "foreign": ("同一照片文件已用于另一人", "the same photo file belongs to another person"),
}


@dataclass(slots=True)
class ImportReport:
    """What an import did."""

    lines: list[Line] = field(default_factory=list, repr=False)

    @property
    def taken(self) -> int:
        """Photos taken over."""
        return sum(line.code == "taken" for line in self.lines)

    @property
    def same(self) -> int:
        """Photos that were there."""
        return sum(line.code == "same" for line in self.lines)

    @property
    def rejected(self) -> int:
        """Files that were not taken."""
        return len(self.lines) - self.taken - self.same

    def counts(self) -> dict[str, int]:
        """Files by what became of them."""
        found: dict[str, int] = {}
        for line in self.lines:
            found[line.code] = found.get(line.code, 0) + 1
        return found

    def csv(self) -> bytes:
        """The report as a spreadsheet opens it: UTF-8 with a mark, Chinese headings."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(("文件", "结果", "原因代码", "原因"))
        for line in self.lines:
            result = "成功" if line.code in ("taken", "same") else "未导入"
            writer.writerow((_harmless(line.file), result, line.code, line.zh))
        return text.getvalue().encode("utf-8-sig")


def _harmless(cell: str) -> str:
    """A file name that a spreadsheet does not take for a formula."""
    return "'" + cell if cell[:1] in ("=", "+", "-", "@") else cell


def of_folder(folder: Path) -> list[Wanted]:
    """Photos of a folder and whose they are, in the order of their names.

    Raises
    ------
    UsageError
        The folder cannot be read.
    """
    try:
        files = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be read: {error.strerror}", hint="name a folder"
        ) from None
    return [_from_name(path) for path in files]


def _from_name(path: Path) -> Wanted:
    numbers = _NUMBER.findall(path.stem)
    if len(numbers) != 1:
        return Wanted(path, "")
    around = _AROUND.sub("", path.stem.replace(numbers[0], ""))
    name = "" if around.isdecimal() else around  # "(2)" marks a copy
    return Wanted(path, numbers[0].upper(), name)


def of_manifest(file: Path) -> list[Wanted]:
    """Photos of a manifest; paths are taken from its folder.

    Raises
    ------
    UsageError
        It cannot be read, or lacks a heading.
    """
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", hint="name a file") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030", "replace")
    rows = csv.DictReader(io.StringIO(text, newline=""))
    if not {"citizen_number", "file"} <= set(rows.fieldnames or ()):
        raise UsageError(
            f"{file.name} has not the headings citizen_number and file",
            hint="see docs/intake.md",
            zh=f"{file.name} 缺少表头 citizen_number、file",
        )
    return [
        Wanted(
            file.parent / (row["file"] or "").strip(),
            (row["citizen_number"] or "").strip().upper(),
            (row.get("name") or "").strip(),
        )
        for row in rows
    ]


class PhotoImport:
    """Imports into one registry.

    Parameters
    ----------
    check : callable
        File → verdict (`photo.check_photo` with the rules of the profile).
    workers : int
        Threads that check; decoding does not hold Python's lock.
    """

    def __init__(self, books: Books, check: Check, *, workers: int = 2) -> None:
        self._books = books
        self.photos = Photos(books)
        self._check = check
        self._workers = workers

    def run(
        self, files: Sequence[Wanted], progress: Callable[[int], None] | None = None
    ) -> ImportReport:
        """Take over what can be; a chunk of files is one durable commit.

        Stopping in between keeps what was committed; the same import again goes on.
        """
        report = ImportReport()
        counted = Counter(one.citizen_number for one in files)
        twice = frozenset(number for number, count in counted.items() if count > 1)
        rest = iter(files)
        with ThreadPoolExecutor(self._workers) as pool:
            while chunk := list(islice(rest, CHUNK)):
                verdicts = pool.map(self._looked_at, chunk)
                report.lines += self._take(chunk, verdicts, twice)
                if progress:
                    progress(len(report.lines))
        return report

    def _looked_at(self, wanted: Wanted) -> PhotoVerdict | None:
        if not wanted.citizen_number:
            return None
        try:
            return self._check(wanted.path.read_bytes())
        except OSError:
            return None

    def _take(
        self,
        chunk: Sequence[Wanted],
        verdicts: Iterable[PhotoVerdict | None],
        twice: frozenset[str],
    ) -> list[Line]:
        looked_at = list(verdicts)  # before the transaction: it takes its time
        known = self.photos.people_of(one.citizen_number for one in chunk)
        with self._books.store.writing() as connection:
            return [
                self._take_one(connection, wanted, verdict, known, twice)
                for wanted, verdict in zip(chunk, looked_at, strict=True)
            ]

    def _take_one(
        self,
        connection: Connection,
        wanted: Wanted,
        verdict: PhotoVerdict | None,
        known: dict[str, tuple[int, str]],
        twice: frozenset[str],
    ) -> Line:
        code = _problem(wanted, known, twice)
        if code:
            return _line(wanted, code)
        if verdict is None:
            return _line(wanted, "unreadable")
        photo = verdict.prepared
        if photo is None:
            return _rejected(wanted, verdict)
        person = known[wanted.citizen_number][0]
        if self.photos.has_in(connection, person, photo.original_digest):
            return _line(wanted, "same")
        try:
            self.photos.take_in(connection, photo, person_id=person, source="import")
        except PhotoTakenError:
            return _line(wanted, "foreign")
        return _line(wanted, "taken")


def _problem(wanted: Wanted, known: dict[str, tuple[int, str]], twice: frozenset[str]) -> str:
    number = wanted.citizen_number
    if not number:
        return "no_number"
    try:
        parse_citizen_number(number)
    except NumberError:
        return "bad_number"
    if number in twice:
        return "twice"
    if number not in known:
        return "unknown"
    differs = wanted.name and normalised(wanted.name) != normalised(known[number][1])
    return "name_differs" if differs else ""


def _line(wanted: Wanted, code: str) -> Line:
    return Line(wanted.path.name, code, *_REASONS[code])


def _rejected(wanted: Wanted, verdict: PhotoVerdict) -> Line:
    zh = "；".join(finding.text("zh") for finding in verdict.findings)
    en = "; ".join(finding.text("en") for finding in verdict.findings)
    return Line(wanted.path.name, verdict.findings[0].code, zh, en)
