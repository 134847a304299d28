"""The room of papers: made once, checked by their code, printed again only as reprints."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, func, select

from cardkit.registry.attempts import attempted, need_role
from cardkit.registry.books import Books
from cardkit.registry.forms import codes, ledger, typesetting
from cardkit.registry.forms.kinds import PAPERS, Kind, Reason, VoidReason
from cardkit.registry.forms.printing import CHINA_HOURS, Reprint, data_of, local, shown
from cardkit.registry.forms.records import Check, Content, Document, Finding, NumberedForm, Subject
from cardkit.registry.journal import Detail, Event
from cardkit.registry.operators import Operator
from cardkit.registry.schema import cards, history
from cardkit.registry.stock import Order, Stock

PRINT = "print-document"
REPRINT = "reprint-document"
FINISH = "finish-document"
VOID = "void-document"
FORM = "receipt"
"""What stock calls the numbered forms that receipts are printed on."""


class Forms:
    """Papers of one registry.

    Parameters
    ----------
    books : Books
    hours : int
        Local time ahead of UTC.
    folders : sequence of Path
        Where fonts are looked for first.
    """

    def __init__(
        self, books: Books, *, hours: int = CHINA_HOURS, folders: Sequence[Path] = ()
    ) -> None:
        self._books = books
        self._hours = hours
        self._folders = tuple(folders)
        self._stock = Stock(books)

    # -- making ---------------------------------------------------------------------------------

    def make(
        self,
        kind: Kind,
        content: Content,
        *,
        subject: Subject,
        operator: Operator,
        card_id: int | None = None,
        form: NumberedForm | None = None,
    ) -> tuple[Document, bytes]:
        """Record a paper, then typeset it, then record that it is ready.

        Nobody waits while it is typeset. One that was begun and never came out, because the
        computer ended, is finished by the next call: the same number and content.

        Parameters
        ----------
        form : NumberedForm, optional
            What it is printed on; wanted for a kind that is ``numbered``, and used up with it.

        Returns
        -------
        Document, bytes
            The record, and its PDF.

        Raises
        ------
        MadeBeforeError
            The subject has such a paper: print that one again.
        MissingGlyphError
            A character is in no font; it is named.
        NotAllowedError
            Not for the roles of `operator`; the attempt is in the history.
        FormNumberError
            The numbered form is missing or was used before.
        StockError
            The stock does not have that form at that place.
        """
        with attempted(self._books, operator, PRINT):
            need_role(operator, PRINT, *PAPERS[kind].roles)
            kept = codes.canonical(content.as_content(hidden=PAPERS[kind].leaves))
            typesetting.require_characters(kept, self._folders)
            with self._books.store.writing() as connection:
                shown_form = form.shown if form else ""
                document = ledger.begun_before(connection, kind, subject, shown_form)
                if document is None:
                    document = self._sealed(
                        connection, kind, kept, subject, operator, card_id=card_id, form=form
                    )
                    ledger.add(connection, document, kept)
                    self._use_form(connection, document, form, operator)
                else:
                    now, detail = self._books.store.now(), {"document": document.number}
                    self._note(connection, now, operator, FINISH, document.card_id, detail)
            pdf = self.typeset(document)
            now = self._books.store.now()
            with self._books.store.writing() as connection:
                ledger.finish(connection, document, now)
            return replace(document, printed_at=now), pdf

    def void(self, number: str, reason: VoidReason, *, operator: Operator) -> Document:
        """Make a paper void 作废: it counts no more, and its subject may have another one.

        Its number is never given out again; a numbered form it was begun on stays used, and is
        kept with the paper.

        Raises
        ------
        UnknownDocumentError, VoidDocumentError, NotAllowedError
        """
        kind = self.get(number).kind
        with attempted(self._books, operator, VOID):
            need_role(operator, VOID, *PAPERS[kind].roles)
            with self._books.store.writing() as connection:
                document, now = ledger.by_number(connection, number), self._books.store.now()
                ledger.refuse_void(document)
                ledger.make_void(connection, document, reason, operator.login, now)
                detail: Detail = {"document": number, "reason": reason.value}
                self._note(connection, now, operator, VOID, document.card_id, detail)
                return ledger.by_number(connection, number)

    def _sealed(
        self,
        connection: Connection,
        kind: Kind,
        kept: str,
        subject: Subject,
        operator: Operator,
        *,
        card_id: int | None,
        form: NumberedForm | None,
    ) -> Document:
        """A document with its number, its code and its entry in the history."""
        counters, now = self._books.counters, self._books.store.now()
        series = f"{PAPERS[kind].prefix}{local(now, self._hours)[:4]}"
        number = f"{series}{counters.draw(connection, f'document:{series}'):06d}"
        digest = codes.digest(kept)
        seal = codes.seal(ledger.make_seal_key(connection), number, kind.value, digest)
        detail = {"document": number, "kind": kind.value, "seal": seal.hex()}
        if form:
            detail["form"] = form.shown
        return Document(
            document_id=counters.draw(connection, "documents"),
            number=number,
            kind=kind,
            subject=subject,
            card_id=card_id,
            content=json.loads(kept),
            digest=digest,
            code=codes.check_code(seal),
            entry=self._note(connection, now, operator, PRINT, card_id, detail),
            stock_number=form.shown if form else "",
            copies=len(PAPERS[kind].copies),
            made_at=now,
            made_by=operator.login,
        )

    def _use_form(
        self,
        connection: Connection,
        document: Document,
        form: NumberedForm | None,
        operator: Operator,
    ) -> None:
        """Take a numbered form out of stock [D9]."""
        if not form:
            return
        act = document.subject.number if document.subject.kind == "act" else None
        order = Order("use", FORM, form.at, form.number, act=act, card=document.card_id)
        self._stock.do_in(connection, order, operator=operator)

    def _note(
        self,
        connection: Connection,
        now: str,
        operator: Operator,
        action: str,
        card_id: int | None,
        detail: Detail,
    ) -> int:
        """Write into the history; the sequence of the entry."""
        state = None
        if card_id is not None:
            state = connection.execute(select(cards.c.state).where(cards.c.id == card_id)).scalar()
        journal = self._books.journal.by(operator.login)
        journal.append(connection, now, Event(action, card_id, None, state, state, detail))
        return journal.head(connection).sequence

    # -- printing again -------------------------------------------------------------------------
    def reprint(
        self,
        number: str,
        reason: Reason,
        *,
        operator: Operator,
        form: NumberedForm | None = None,
    ) -> tuple[Document, bytes]:
        """Print a paper again; it says for which time, when, by whom and why.

        Raises
        ------
        UnknownDocumentError, VoidDocumentError, NotAllowedError, FormNumberError
            As `make`; a numbered kind wants a fresh form.
        """
        found = self.get(number)
        with attempted(self._books, operator, REPRINT):
            need_role(operator, REPRINT, *PAPERS[found.kind].roles)
            with self._books.store.writing() as connection:
                document = ledger.by_number(connection, number)
                ledger.refuse_void(document)
                if not document.printed_at:
                    ledger.finish(connection, document, self._books.store.now())
                again = self._again(connection, document, reason, operator, form)
                self._use_form(connection, document, form, operator)
                document = ledger.by_number(connection, number)
            return document, self.typeset(document, again)

    def _again(
        self,
        connection: Connection,
        document: Document,
        reason: Reason,
        operator: Operator,
        form: NumberedForm | None,
    ) -> Reprint:
        """Keep that a document is printed again."""
        now, times = self._books.store.now(), document.reprints + 1
        again = Reprint(times, now, operator.login, reason, form.shown if form else "")
        reprint_id = self._books.counters.draw(connection, "reprints")
        ledger.add_reprint(connection, document, again, reprint_id)
        detail: Detail = {"document": document.number, "times": times, "reason": reason.value}
        self._note(connection, now, operator, REPRINT, document.card_id, detail)
        return again

    def typeset(
        self,
        document: Document,
        reprint: Reprint | None = None,
        form: typesetting.Form = "pdf",
        page: int = 1,
    ) -> bytes:
        """The paper itself; the same document gives the same bytes."""
        data = data_of(document, reprint, self._hours)
        template = PAPERS[document.kind].template
        return typesetting.typeset(template, data, form, page=page, folders=self._folders)

    # -- questions ------------------------------------------------------------------------------

    def check(self, text: str) -> Check:
        """What the code on a paper says about it; anybody may ask.

        Parameters
        ----------
        text : str
            The code as somebody typed or scanned it.
        """
        code = codes.read_code(text)
        with self._books.store.reading(snapshot=True) as connection:
            document = ledger.by_code(connection, code)
            if document is None:
                return Check(Finding.UNKNOWN)
            key = ledger.seal_key(connection)
            told = _told(connection, document)
        digest = codes.digest(codes.canonical(document.content))
        seal = codes.seal(key, document.number, document.kind.value, digest)
        ours = codes.check_code(seal) == code and digest == document.digest
        if not ours or not told.agrees(document, seal.hex()):
            return Check(Finding.ALTERED, document)
        finding = Finding.VOID if document.voided_at else Finding.GENUINE
        return Check(finding, document, shown(document.kind, document.content))

    def get(self, number: str) -> Document:
        """The document of that number.

        Raises
        ------
        UnknownDocumentError
            There is none.
        """
        with self._books.store.reading() as connection:
            return ledger.by_number(connection, number)

    def list(
        self, kind: Kind | None = None, *, card_id: int | None = None, limit: int | None = None
    ) -> builtins.list[Document]:
        """Documents, the newest first."""
        with self._books.store.reading() as connection:
            return ledger.newest(connection, kind, card_id, limit)


@dataclass(frozen=True, slots=True)
class _Told:
    """What the history says about a paper."""

    made: tuple[str, str, int | None]
    detail: Mapping[str, object]
    later: Mapping[str, int]

    def agrees(self, document: Document, seal: str) -> bool:
        """Whether the record says the same: who made it when, on which form, what came after."""
        older = document.stock_number if PAPERS[document.kind].numbered else ""  # did not say it
        form = self.detail.get("form", older)
        return (
            self.detail.get("seal") == seal
            and self.made == (document.made_at, document.made_by, document.card_id)
            and form == document.stock_number
            and self.later.get(REPRINT, 0) == document.reprints
            and self.later.get(VOID, 0) == bool(document.voided_at)
        )


def _told(connection: Connection, document: Document) -> _Told:
    table = history.c
    columns = select(table.instant, table.actor, table.card, table.detail)
    entry = connection.execute(columns.where(table.sequence == document.entry)).first()
    if entry is None:
        return _Told(("", "", None), {}, {})
    after = (
        select(table.action, func.count())
        .where(table.sequence > document.entry, table.action.in_((REPRINT, VOID)))
        .where(table.detail.contains(f'"document":"{document.number}"'))
        .group_by(table.action)
    )
    if document.card_id is not None:  # by an index
        after = after.where(table.card == document.card_id)
    later: dict[str, int] = dict(connection.execute(after).all())
    return _Told((entry[0], entry[1], entry[2]), json.loads(entry[3] or "{}"), later)
