"""Photos of many people at once: a folder or a list of files, and a report for a clerk.

A file is named after its person: the citizen number stands in its name, alone or with the name
(``639900199001010014.jpg``, ``张测试_639900199001010014.jpg``); or a manifest, CSV in UTF-8 or
GB18030 with the headings ``citizen_number`` and ``file``, says whose it is.
"""

from __future__ import annotations

import csv
import hashlib
import io
import multiprocessing
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from cardkit.codec.numbers import NumberError, parse_citizen_number
from cardkit.errors import UsageError
from cardkit.profile.schema import Photo as PhotoRules
from cardkit.registry.books import Books
from cardkit.registry.intake.duplicates import normalised
from cardkit.registry.intake.import_report import REASONS, ImportReport, Line
from cardkit.registry.intake.photo_file import read_photo
from cardkit.registry.intake.photos import Photos, PhotoTakenError

if TYPE_CHECKING:
    from cardkit.registry.intake.photo import PhotoVerdict

_MANY = 300  # files for which processes are worth their start

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


class Look(Enum):
    """What is known of a file without decoding it; the value is the code of its line."""

    UNREADABLE = "unreadable"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class _Coming:
    """A chunk that is being looked at."""

    chunk: list[Wanted]
    looks: list[Future[PhotoVerdict] | PhotoVerdict | Look]
    known: dict[str, tuple[int, str]]

    def verdicts(self) -> list[PhotoVerdict | Look]:
        """Wait for them."""
        return [look.result() if isinstance(look, Future) else look for look in self.looks]


class PhotoImport:
    """Imports into one registry.

    Parameters
    ----------
    check : callable
        File → verdict (`photo.check_photo` with the rules of the profile).
    most_bytes : int, optional
        Of a file that is read at all (``rules.most_bytes``).
    workers : int, optional
        How many check at a time. Default: as many as there are processors.
    processes : bool, optional
        Whether those are processes, which must be able to import `check`; threads otherwise.
        Default: for many files.
    """

    def __init__(
        self,
        books: Books,
        check: Check,
        *,
        most_bytes: int = PhotoRules().most_bytes,
        workers: int | None = None,
        processes: bool | None = None,
    ) -> None:
        self._books = books
        self.photos = Photos(books)
        self._check = check
        self._most_bytes = most_bytes
        self._workers = workers or _processors()
        self._processes = processes

    def run(
        self, files: Sequence[Wanted], progress: Callable[[int], None] | None = None
    ) -> ImportReport:
        """Take over what can be; a chunk of files is one durable commit.

        Stopping in between keeps what was committed; the same import again goes on. While a chunk
        becomes durable, the next one is looked at.
        """
        report = ImportReport()
        counted = Counter(one.citizen_number for one in files)
        twice = frozenset(number for number, count in counted.items() if count > 1)
        rest = iter(files)
        with self._pool(len(files)) as pool:
            coming = self._begin(pool, list(islice(rest, CHUNK)))
            while coming.chunk:
                now, coming = coming, self._begin(pool, list(islice(rest, CHUNK)))
                report.lines += self._take(now.chunk, now.verdicts(), now.known, twice)
                if progress:
                    progress(len(report.lines))
        return report

    def _pool(self, files: int) -> Executor:
        many = files >= _MANY and self._workers > 1
        if not (many if self._processes is None else self._processes):
            return ThreadPoolExecutor(self._workers)
        # not forked: this process has threads and open connections
        return ProcessPoolExecutor(self._workers, multiprocessing.get_context("spawn"))

    def _begin(self, pool: Executor, chunk: list[Wanted]) -> _Coming:
        """Have a chunk looked at, but for the files that are somebody's photo already."""
        if not chunk:
            return _Coming([], [], {})
        known = self.photos.people_of(one.citizen_number for one in chunk)
        digests = self.photos.digests_of(person for person, _ in known.values())
        verdicts: list[Future[PhotoVerdict] | PhotoVerdict | Look] = []
        for wanted in chunk:
            person = known.get(wanted.citizen_number)
            data = _read(wanted.path, self._most_bytes) if wanted.citizen_number else None
            if data is None:
                verdicts.append(Look.UNREADABLE)
            elif not isinstance(data, bytes):
                verdicts.append(data)
            elif person and hashlib.sha256(data).hexdigest() == digests.get(person[0]):
                verdicts.append(Look.SAME)
            else:
                verdicts.append(pool.submit(self._check, data))
        return _Coming(chunk, verdicts, known)

    def _take(
        self,
        chunk: Sequence[Wanted],
        verdicts: Sequence[PhotoVerdict | Look],
        known: dict[str, tuple[int, str]],
        twice: frozenset[str],
    ) -> list[Line]:
        with self._books.store.writing() as connection:
            return [
                self._take_one(connection, wanted, verdict, known, twice)
                for wanted, verdict in zip(chunk, verdicts, strict=True)
            ]

    def _take_one(
        self,
        connection: Connection,
        wanted: Wanted,
        verdict: PhotoVerdict | Look,
        known: dict[str, tuple[int, str]],
        twice: frozenset[str],
    ) -> Line:
        code = _problem(wanted, known, twice)
        if code:
            return _line(wanted, code)
        if isinstance(verdict, Look):
            return _line(wanted, verdict.value)
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


def _processors() -> int:
    """Those this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _read(path: Path, most_bytes: int) -> bytes | PhotoVerdict | None:
    try:
        return read_photo(path, most_bytes)
    except OSError:
        return None


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
    return Line(wanted.path.name, code, *REASONS[code])


def _rejected(wanted: Wanted, verdict: PhotoVerdict) -> Line:
    zh = "；".join(finding.text("zh") for finding in verdict.findings)
    en = "; ".join(finding.text("en") for finding in verdict.findings)
    return Line(wanted.path.name, verdict.findings[0].code, zh, en)
