"""A file comes: checked as a whole, then kept, applied and answered in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import polars as pl
from sqlalchemy import Connection

from cardkit.registry.exchange import catalogue, naming
from cardkit.registry.exchange.answering import answer_files
from cardkit.registry.exchange.errors import ExchangeError, ExchangeRefusedError
from cardkit.registry.exchange.keeping import ORIGINAL, Batch
from cardkit.registry.exchange.layout import Layout
from cardkit.registry.exchange.office import Office
from cardkit.registry.exchange.provenance import check_layout, check_sender
from cardkit.registry.exchange.reading import Content, read
from cardkit.registry.exchange.receipt import Receipt
from cardkit.registry.exchange.refusals import kept_refusals
from cardkit.registry.exchange.services import RECEIVE
from cardkit.registry.exchange.work import CARD, RESULT, VALUE, Work
from cardkit.registry.operators.roles import Operator


class Receiving:
    """Takes files in."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def receive(
        self, layout_name: str, data: bytes, *, partner: str, operator: Operator, name: str
    ) -> Receipt:
        """Take a file: check, apply, answer; all of it or nothing.

        Parameters
        ----------
        data : bytes
            The file in clear.
        name : str
            Its name, for messages and the history.

        Raises
        ------
        FileFaultsError
            The file is not what its layout says.
        ExchangeRefusedError
            No right to do it, or another file has the same batch number.
        """
        layout = catalogue.get(self._office.layouts, layout_name)
        books = self._office.books.by(operator.login)
        with kept_refusals(books, layout=layout.name):
            self._office.check_right(operator)
            if layout.direction == "out" or layout.service not in RECEIVE:
                raise ExchangeError(
                    f"{layout.name} is not a file that the registry takes in",
                    hint="`cardkit registry exchange layouts` shows directions",
                    zh=f"登记库不接收“{layout.title}”文件",
                )
            return self._receive(layout, data, partner, operator, name)

    def _receive(
        self, layout: Layout, data: bytes, partner: str, operator: Operator, name: str
    ) -> Receipt:
        content = read(layout, data, name=name)
        number = naming.number_of(layout, content, name)
        digest = hashlib.sha256(data).hexdigest()
        office = self._office
        with office.books.store.writing() as connection:
            agreed = office.partners.get(connection, partner)
            agreed.check_allowed(layout.name)
            earlier = office.keeping.find(
                connection, direction="in", layout=layout.name, partner=partner, number=number
            )
            if earlier is None:
                check_sender(layout, content, partner, name)
                check_layout(layout, content, name)
                question = None
                if layout.answers and layout.direction == "in":
                    question = self._question(connection, layout, partner, number)
                work = office.work(connection, layout, agreed, number, operator, question)
                return self._take(work, content, data, digest, name)
            if earlier.digest != digest:
                raise _taken(earlier)
            files = tuple(office.keeping.files(connection, earlier.id))
        return Receipt(earlier, files, known=True)

    def _question(self, connection: Connection, layout: Layout, partner: str, number: str) -> Batch:
        question = self._office.keeping.find(
            connection, direction="out", layout=layout.answers, partner=partner, number=number
        )
        if question is None:
            raise ExchangeError(
                f"no batch {number} of layout {layout.answers} was sent to {partner}",
                hint="`cardkit registry exchange status` lists what was sent",
                zh=f"没有发给 {partner} 的第{number}批（{layout.answers}）：请核对批次号和单位",
            )
        if self._office.keeping.answer_to(connection, question.id) is not None:
            raise ExchangeRefusedError(
                "answered",
                f"batch {number} was answered already",
                hint="what came first counts; rows that failed go into a new batch",
                zh=f"第{number}批已有回盘：以先到的为准，失败的另编新批次",
            )
        return question

    def _take(self, work: Work, content: Content, data: bytes, digest: str, name: str) -> Receipt:
        keeping = self._office.keeping
        incoming = RECEIVE[work.layout.service](work, content)
        rows = incoming.rows
        done = int((rows[RESULT] == "ok").sum())
        batch = Batch(
            id=work.batch_id,
            direction="in",
            layout=work.layout.name,
            version=work.layout.version,
            service=work.layout.service,
            partner=work.partner,
            number=work.number,
            digest=digest,
            name=naming.plain(name),
            rows=rows.height,
            done=done,
            failed=rows.height - done,
            operator=work.operator.login,
            instant=work.now,
            answers=work.question.id if work.question else None,
        )
        keeping.add(work.connection, batch)
        files = [keeping.keep(work.connection, batch.id, ORIGINAL, batch.name, [data])]
        keeping.add_rows(work.connection, batch.id, _kept_rows(rows))
        incoming.settle()
        for role, file_name, made in answer_files(work, content, incoming, batch.name):
            files.append(keeping.keep(work.connection, batch.id, role, file_name, made))
        self._office.note(work, batch)
        return Receipt(batch, tuple(files))


def _kept_rows(rows: pl.DataFrame) -> Iterator[tuple[int, int | None, str, str]]:
    missing = {CARD: pl.lit(None, dtype=pl.Int64), VALUE: pl.lit("")}
    added = [e.alias(name) for name, e in missing.items() if name not in rows.columns]
    wanted = rows.with_columns(added).select(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("row"), CARD, RESULT, VALUE
    )
    for part in wanted.iter_slices(50_000):
        yield from part.iter_rows()


def _taken(earlier: Batch) -> ExchangeRefusedError:
    return ExchangeRefusedError(
        "other-content",
        f"batch {earlier.number} of {earlier.partner} was taken before with another content",
        hint="a corrected file gets a number of its own",
        zh=f"{earlier.partner} 的第{earlier.number}批已经导入，内容不同：更正后须另编批次号",
    )
