"""Who asked what: kept without the numbers that were asked for, and chained in blocks.

A commit a question would cost more than the question. So questions are collected and written in
blocks: the rows into the table ``inquiries``, and one entry with their digest into the history. A
server that is killed loses what it had not written, at most a second of questions.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, or_, select

from cardkit.history import canonical
from cardkit.registry.books import Books
from cardkit.registry.inquiry.questions import Question
from cardkit.registry.journal import Event
from cardkit.registry.schema.cards import history
from cardkit.registry.schema.inquiry import inquiries, inquiry_secrets
from cardkit.registry.statements import Statement

_TABLE = "inquiries"
_SECRET = "asked-for"  # noqa: S105 - a name
_COLUMNS = tuple(column.name for column in inquiries.c)


class Asked(NamedTuple):
    """One question and what became of it, as the table keeps it (without its id)."""

    instant: str
    client: str
    key_kind: str
    key_digest: str
    holder_digest: str
    rights: str
    result: str
    region: str


class Record:
    """Collects questions and writes them in blocks."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._insert = Statement(insert(inquiries).inline(), _COLUMNS)
        self._lock = threading.Lock()
        self._waiting: list[Asked] = []
        self._secret = _secret_of(books)

    def digest(self, question: Question) -> str:
        """What stands for the number that was asked for."""
        text = f"{question.by}:{question.key}".encode()
        return hmac.digest(self._secret, text, "sha256").hex()[:32]

    def add(self, asked: Sequence[Asked]) -> None:
        """Take questions that were answered."""
        with self._lock:
            self._waiting += asked

    def flush(self) -> int:
        """Write what was collected; returns the number of rows."""
        with self._lock:
            rows, self._waiting = self._waiting, []
        if not rows:
            return 0
        try:
            self._write(rows)
        except BaseException:
            with self._lock:
                self._waiting[:0] = rows
            raise
        return len(rows)

    def _write(self, rows: Sequence[Asked]) -> None:
        books = self._books
        with books.store.writing() as connection:
            first = books.counters.peek(connection, _TABLE)
            books.counters.store(connection, _TABLE, first + len(rows))
            numbered = [(number, *row) for number, row in enumerate(rows, first)]
            self._insert.run_many(connection, numbered)
            detail: dict[str, str | int | list[str]] = {
                "first": first,
                "count": len(rows),
                "clients": sorted({row.client for row in rows}),
                "sha256": _digest(numbered),
            }
            now = books.store.now()
            books.journal.append(connection, now, Event("inquiries", detail=detail))

    def about(self, question: Question) -> list[Asked]:
        """Who asked for a number: for its holder's question, or an inspector's.

        A citizen number also finds the questions by another number that its holder's card answered.
        """
        digest = self.digest(question)
        wanted = select(inquiries).where(
            or_(inquiries.c.key_digest == digest, inquiries.c.holder_digest == digest)
        )
        with self._books.store.reading() as connection:
            rows = connection.execute(wanted.order_by(inquiries.c.id)).all()
        return [Asked(*row[1:]) for row in rows]

    def verify(self) -> str:
        """``''``, or the first block of rows that does not agree with the history."""
        with self._books.store.reading(snapshot=True) as connection:
            for first, count, digest in _blocks(connection):
                rows = connection.execute(
                    select(inquiries)
                    .where(inquiries.c.id.between(first, first + count - 1))
                    .order_by(inquiries.c.id)
                ).all()
                if _digest([tuple(row) for row in rows]) != digest:
                    return f"inquiries {first} to {first + count - 1} were changed"
        return ""


def _digest(rows: Sequence[Sequence[str | int]]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(canonical(row))
    return digest.hexdigest()


def _blocks(connection: Connection) -> Iterator[tuple[int, int, str]]:
    entries = select(history.c.detail).where(history.c.action == "inquiries")
    for (detail,) in connection.execute(entries.order_by(history.c.sequence)):
        block = json.loads(detail)
        yield block["first"], block["count"], block["sha256"]


def _secret_of(books: Books) -> bytes:
    wanted = select(inquiry_secrets.c.value).where(inquiry_secrets.c.name == bindparam("called"))
    with books.store.reading() as connection:
        found = connection.execute(wanted, {"called": _SECRET}).scalar()
    if found is not None:
        return bytes(found)
    with books.store.writing() as connection:
        found = connection.execute(wanted, {"called": _SECRET}).scalar()
        if found is None:  # no other server was quicker
            found = secrets.token_bytes(32)
            connection.execute(insert(inquiry_secrets).values(name=_SECRET, value=found))
    return bytes(found)
