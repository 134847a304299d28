"""The tables of papers, inside a transaction that somebody else opened."""

from __future__ import annotations

import json
import secrets
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from cardkit.registry.forms.errors import (
    FormNumberError,
    MadeBeforeError,
    UnknownDocumentError,
    VoidDocumentError,
)
from cardkit.registry.forms.kinds import PAPERS, Kind, VoidReason
from cardkit.registry.forms.printing import Reprint
from cardkit.registry.forms.records import Document, Subject
from cardkit.registry.schema.forms import documents, form_numbers, reprints
from cardkit.registry.schema.forms import secrets as keys

_SEAL = "forms.seal"
_FIELDS = (
    "id",
    "number",
    "kind",
    "subject",
    "subject_id",
    "card",
    "content",
    "digest",
    "check_code",
    "entry",
    "stock_number",
    "copies",
    "made_at",
    "made_by",
    "printed_at",
    "voided_at",
    "voided_by",
    "void_reason",
)


def seal_key(connection: Connection) -> bytes:
    """The key of this registry for seals, ``b''`` before its first paper."""
    value = connection.execute(select(keys.c.value).where(keys.c.name == _SEAL)).scalar()
    return bytes(value or b"")


def make_seal_key(connection: Connection) -> bytes:
    """The same, made when there is none; inside a ``writing`` block."""
    key = seal_key(connection)
    if not key:
        key = secrets.token_bytes(32)
        connection.execute(insert(keys).values(name=_SEAL, value=key))
    return key


def add(connection: Connection, document: Document, content: str) -> None:
    """Keep a new document, with the number of the form it stands on."""
    values = (
        document.document_id,
        document.number,
        document.kind.value,
        document.subject.kind,
        document.subject.number,
        document.card_id,
        content,
        document.digest,
        document.code,
        document.entry,
        document.stock_number,
        document.copies,
        document.made_at,
        document.made_by,
        document.printed_at,
        document.voided_at,
        document.voided_by,
        document.void_reason,
    )
    connection.execute(insert(documents).values(dict(zip(_FIELDS, values, strict=True))))
    _use_form(connection, document, document.stock_number)


def add_reprint(
    connection: Connection, document: Document, reprint: Reprint, reprint_id: int
) -> None:
    """Keep that a document was printed again."""
    connection.execute(
        insert(reprints).values(
            id=reprint_id,
            document=document.document_id,
            times=reprint.times,
            made_at=reprint.made_at,
            made_by=reprint.made_by,
            reason=reprint.reason.value,
            stock_number=reprint.stock_number,
        )
    )
    _use_form(connection, document, reprint.stock_number)


def begun_before(
    connection: Connection, kind: Kind, subject: Subject, form: str
) -> Document | None:
    """The paper that was begun for a subject and never came out, to be finished now.

    Raises
    ------
    MadeBeforeError
        The subject has its paper; it is named.
    FormNumberError
        It was begun on another numbered form than `form`.
    """
    if subject.kind in ("card", "place"):  # a statement may be made again
        return None
    row = connection.execute(
        _selected().where(
            documents.c.kind == kind.value,
            documents.c.subject == subject.kind,
            documents.c.subject_id == subject.number,
            documents.c.voided_at == "",
        )
    ).first()
    if row is None:
        return None
    document = _document(row)
    if document.printed_at:
        raise MadeBeforeError(document.number)
    if document.stock_number != form:
        raise FormNumberError(
            f"{document.number} was begun on the numbered form {document.stock_number}",
            hint=f"take that one, or `cardkit forms void {document.number} --reason not-printed`",
            zh=f"{document.number} 已在票据 {document.stock_number} 上开始打印：请使用该票据，"
            f"或先用 cardkit forms void {document.number} 作废",
        )
    return document


def finish(connection: Connection, document: Document, now: str) -> None:
    """Keep that a paper is ready: from now on every other copy of it says so.

    Raises
    ------
    MadeBeforeError
        Another window was quicker.
    VoidDocumentError
        Somebody made it void meanwhile.
    """
    changed = connection.execute(
        update(documents)
        .where(
            documents.c.id == document.document_id,
            documents.c.printed_at == "",
            documents.c.voided_at == "",
        )
        .values(printed_at=now)
    ).rowcount
    if not changed:
        refuse_void(by_number(connection, document.number))
        raise MadeBeforeError(document.number)


def refuse_void(document: Document) -> None:
    """Refuse a paper that counts no more.

    Raises
    ------
    VoidDocumentError
    """
    if document.voided_at:
        raise VoidDocumentError(document.number)


def make_void(
    connection: Connection, document: Document, reason: VoidReason, by: str, now: str
) -> None:
    """Keep that a paper counts no more; a numbered form that it is on stays used."""
    connection.execute(
        update(documents)
        .where(documents.c.id == document.document_id)
        .values(voided_at=now, voided_by=by, void_reason=reason.value)
    )


def _use_form(connection: Connection, document: Document, form: str) -> None:
    if PAPERS[document.kind].numbered and not form:
        raise FormNumberError(
            f"a {PAPERS[document.kind].english} is printed on a numbered form",
            hint="give its number with --form-number",
            zh="该单据须用有编号的票据：请用 --form-number 给出编号",
        )
    if form and not PAPERS[document.kind].numbered:
        raise FormNumberError(
            f"a {PAPERS[document.kind].english} is printed on blank paper",
            hint="leave out --form-number",
            zh="该单据不用有编号的票据：请去掉 --form-number",
        )
    if not form:
        return
    used = select(form_numbers).where(form_numbers.c.stock_number == form)
    if connection.execute(used).first():
        raise FormNumberError(
            f"the numbered form {form} was used before",
            hint="take the next form",
            zh=f"票据 {form} 已使用：请用下一张",
        )
    connection.execute(
        insert(form_numbers).values(stock_number=form, document=document.document_id)
    )


def by_number(connection: Connection, number: str) -> Document:
    """The document of that number.

    Raises
    ------
    UnknownDocumentError
        There is none.
    """
    row = connection.execute(_selected().where(documents.c.number == number)).first()
    if row is None:
        raise UnknownDocumentError
    return _document(row)


def by_code(connection: Connection, code: str) -> Document | None:
    """The document that carries a check code."""
    row = connection.execute(_selected().where(documents.c.check_code == code)).first()
    return _document(row) if row else None


def newest(
    connection: Connection, kind: Kind | None, card_id: int | None, limit: int | None
) -> list[Document]:
    """Documents, the newest first."""
    chosen = _selected().order_by(documents.c.id.desc())
    if kind is not None:
        chosen = chosen.where(documents.c.kind == kind.value)
    if card_id is not None:
        chosen = chosen.where(documents.c.card == card_id)
    return [_document(row) for row in connection.execute(chosen.limit(limit))]


def _selected() -> Select[*tuple[Any, ...]]:
    times = (
        select(func.count())
        .select_from(reprints)
        .where(reprints.c.document == documents.c.id)
        .scalar_subquery()
    )
    return select(*(documents.c[name] for name in _FIELDS), times)


def _document(row: Row[*tuple[Any, ...]]) -> Document:
    number, kind, subject, subject_id, card, content = row[1:7]
    return Document(
        row[0],
        number,
        Kind(kind),
        Subject(subject, subject_id),
        card,
        json.loads(content),
        *row[7:],
    )
