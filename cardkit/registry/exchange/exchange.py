"""Files in, files out: each is one durable commit, with everything it changes.

A file comes → it is read and checked as a whole → in one transaction it is kept, applied and
answered. The same file again finds its batch and changes nothing; the same number with another
content is refused. A file that goes is kept as it is before it is sealed to its receiver.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from sqlalchemy import Connection

from cardkit.registry.books import Books
from cardkit.registry.exchange import catalogue, naming
from cardkit.registry.exchange.answering import answer_files
from cardkit.registry.exchange.errors import ExchangeError, ExchangeRefusedError
from cardkit.registry.exchange.keeping import ORIGINAL, Batch, Keeping, KeptFile
from cardkit.registry.exchange.layout import Layout
from cardkit.registry.exchange.partners import Partner, Partners
from cardkit.registry.exchange.reading import PROBLEM, Content, read
from cardkit.registry.exchange.services import RECEIVE, SEND
from cardkit.registry.exchange.work import CARD, RESULT, VALUE, Life, Outgoing, Work
from cardkit.registry.exchange.writing import write
from cardkit.registry.journal import Event
from cardkit.registry.operators.roles import Operator, Role


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of a file.

    Parameters
    ----------
    known : bool
        Whether this very file was taken before; nothing was changed then.
    left_out : tuple of (int, str)
        Of a file that was sent: cards whose data its layout cannot carry, and what is wrong.
    """

    batch: Batch
    files: tuple[KeptFile, ...]
    known: bool = False
    left_out: tuple[tuple[int, str], ...] = ()

    def as_json(self) -> dict[str, object]:
        """For programs; nothing of it is personal."""
        files = [
            {"role": f.role, "name": f.name, "sha256": f.digest, "bytes": f.size}
            for f in self.files
        ]
        left_out = [{"card": card, "problem": problem} for card, problem in self.left_out]
        batch = self.batch.as_json()
        return batch | {"known": self.known, "files": files, "left_out": left_out}


class Exchange:
    """The exchange of files with one registry.

    Parameters
    ----------
    layouts : mapping, optional
        Default: those that come with cardkit.
    life : Life, optional
        The lifecycle, for files that report losses.
    """

    def __init__(
        self,
        books: Books,
        *,
        layouts: Mapping[str, Layout] | None = None,
        life: Life | None = None,
    ) -> None:
        self._books = books
        self._life = life
        self.layouts = catalogue.shipped() if layouts is None else layouts
        self.partners = Partners(books)
        self.keeping = Keeping(books)

    # -- in -------------------------------------------------------------------------------------

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
        layout = catalogue.get(self.layouts, layout_name)
        self._check_right(operator, layout)
        if layout.direction == "out" or layout.service not in RECEIVE:
            raise ExchangeError(
                f"{layout.name} is not a file that the registry takes in",
                hint="`cardkit registry exchange layouts` shows directions",
                zh=f"登记库不接收“{layout.title}”文件",
            )
        content = read(layout, data, name=name)
        number = naming.number_of(layout, content, name)
        digest = hashlib.sha256(data).hexdigest()
        books = self._books.by(operator.login)
        with books.store.writing() as connection:
            agreed = self.partners.get(connection, partner)
            agreed.check_allowed(layout.name)
            earlier = self.keeping.find(
                connection, direction="in", layout=layout.name, partner=partner, number=number
            )
            if earlier is None:
                work = self._work(connection, books, layout, agreed, number, operator)
                return self._take(work, content, data, digest, name)
            files = tuple(self.keeping.files(connection, earlier.id))
        if earlier.digest == digest:
            return Receipt(earlier, files, known=True)
        self._refuse_other(operator, earlier, digest)
        raise _taken(earlier)

    def _work(
        self,
        connection: Connection,
        books: Books,
        layout: Layout,
        partner: Partner,
        number: str,
        operator: Operator,
    ) -> Work:
        question = None
        if layout.answers and layout.direction == "in":
            question = self._question(connection, layout, partner.name, number)
        return Work(
            connection=connection,
            now=books.store.now(),
            books=books,
            keeping=self.keeping,
            layouts=self.layouts,
            layout=layout,
            batch_id=self.keeping.draw(connection),
            number=number,
            partner=partner.name,
            operator=operator,
            life=self._life,
            question=question,
            question_layout=self.layouts.get(layout.answers),
        )

    def _question(self, connection: Connection, layout: Layout, partner: str, number: str) -> Batch:
        question = self.keeping.find(
            connection, direction="out", layout=layout.answers, partner=partner, number=number
        )
        if question is None:
            raise ExchangeError(
                f"no batch {number} of layout {layout.answers} was sent to {partner}",
                hint="`cardkit registry exchange status` lists what was sent",
                zh=f"没有发给 {partner} 的第{number}批（{layout.answers}）：请核对批次号和单位",
            )
        if self.keeping.answer_to(connection, question.id) is not None:
            raise ExchangeRefusedError(
                f"batch {number} was answered already",
                hint="what came first counts; rows that failed go into a new batch",
                zh=f"第{number}批已有回盘：以先到的为准，失败的另编新批次",
            )
        return question

    def _take(self, work: Work, content: Content, data: bytes, digest: str, name: str) -> Receipt:
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
        self.keeping.add(work.connection, batch)
        files = [self.keeping.keep(work.connection, batch.id, ORIGINAL, batch.name, data)]
        self.keeping.add_rows(work.connection, batch.id, _kept_rows(rows))
        incoming.settle()
        for role, file_name, made in answer_files(work, content, incoming, batch.name):
            files.append(self.keeping.keep(work.connection, batch.id, role, file_name, made))
        self._note(work, batch)
        return Receipt(batch, tuple(files))

    def _note(self, work: Work, batch: Batch) -> None:
        detail: dict[str, str | int | list[str]] = {
            "batch": batch.id,
            "digest": batch.digest,
            "done": batch.done,
            "failed": batch.failed,
            "layout": f"{batch.layout}/{batch.version}",
            "number": batch.number,
            "partner": batch.partner,
        }
        event = Event(f"exchange-{batch.direction}", detail=detail)
        work.books.journal.append(work.connection, work.now, event)

    def _refuse_other(self, operator: Operator, earlier: Batch, digest: str) -> None:
        """The attempt stays in the history."""
        books = self._books.by(operator.login)
        detail: dict[str, str | int | list[str]] = {
            "batch": earlier.id,
            "digest": digest,
            "layout": earlier.layout,
            "reason": "other-content",
        }
        with books.store.writing() as connection:
            event = Event("exchange-refused", detail=detail)
            books.journal.append(connection, books.store.now(), event)

    # -- out ------------------------------------------------------------------------------------

    def send(
        self,
        layout_name: str,
        *,
        partner: str,
        operator: Operator,
        limit: int | None = None,
    ) -> Receipt:
        """Make a file with what the partner has not been sent yet, and keep it.

        Parameters
        ----------
        limit : int, optional
            At most so many rows.

        Raises
        ------
        ExchangeRefusedError
            No right to do it.
        ExchangeError
            There is nothing to send.
        """
        return self._send(layout_name, partner, operator, limit, None, None)

    def reissue(self, batch_id: int, *, operator: Operator) -> Receipt:
        """The rows of a batch that its answer rejected, as a new batch: none is edited in place.

        Raises
        ------
        ExchangeError
            The batch was not sent by us, was not answered, was reissued already, or nothing of
            it failed.
        """
        with self._books.store.reading(snapshot=True) as connection:
            batch = self.keeping.get(connection, batch_id)
            answer = self.keeping.answer_to(connection, batch_id)
            failed = self.keeping.failed_cards(connection, answer.id) if answer else []
            again = any(b.reissue_of == batch_id for b in self.keeping.all(connection))
        if batch.direction != "out" or not failed or again:
            why = "was reissued already" if again else "has no rejected rows to send again"
            why_zh = "已经重发" if again else "没有可以重发的失败笔数"
            raise ExchangeError(
                f"batch {batch_id} {why}",
                hint="only rows that an answer rejected are sent again, in a new batch",
                zh=f"第{batch_id}号批次{why_zh}",
            )
        return self._send(batch.layout, batch.partner, operator, None, failed, batch_id)

    def _send(
        self,
        layout_name: str,
        partner: str,
        operator: Operator,
        limit: int | None,
        only: list[int] | None,
        reissue_of: int | None,
    ) -> Receipt:
        layout = catalogue.get(self.layouts, layout_name)
        self._check_right(operator, layout)
        if layout.direction == "in" or layout.service not in SEND or layout.answers:
            raise ExchangeError(
                f"{layout.name} is not a file that the registry sends by itself",
                hint="`cardkit registry exchange layouts` shows directions",
                zh=f"登记库不能单独发出“{layout.title}”文件",
            )
        books = self._books.by(operator.login)
        with books.store.writing() as connection:
            agreed = self.partners.get(connection, partner)
            agreed.check_allowed(layout.name)
            running = books.counters.draw(connection, f"exchange:{layout.name}:{partner}")
            number = f"{running:06d}"
            work = self._work(connection, books, layout, agreed, number, operator)
            outgoing = SEND[layout.service](work, limit, only)
            return self._put(work, outgoing, reissue_of)

    def _put(self, work: Work, outgoing: Outgoing, reissue_of: int | None) -> Receipt:
        layout, connection = work.layout, work.connection
        data, rows, left_out = _fitting(work, outgoing)
        if not rows.height and layout.service != "blacklist":
            raise ExchangeError(
                f"there is nothing to send as {layout.name}",
                hint="everything was sent already, or its data do not fit: see the records",
                zh=f"没有需要发送的“{layout.title}”数据",
            )
        batch = Batch(
            id=work.batch_id,
            direction="out",
            layout=layout.name,
            version=layout.version,
            service=layout.service,
            partner=work.partner,
            number=work.number,
            digest=hashlib.sha256(data).hexdigest(),
            name=naming.file_name(layout, work),
            rows=rows.height,
            done=rows.height,
            failed=len(left_out),
            operator=work.operator.login,
            instant=work.now,
            reissue_of=reissue_of,
        )
        self.keeping.add(connection, batch)
        file = self.keeping.keep(connection, batch.id, ORIGINAL, batch.name, data)
        kept = ((row, card, "", "") for row, card in enumerate(rows[CARD].to_list(), 1))
        self.keeping.add_rows(connection, batch.id, kept)
        outgoing.settle(rows)
        self._note(work, batch)
        return Receipt(batch, (file,), left_out=left_out)

    # -- rights ---------------------------------------------------------------------------------

    def _check_right(self, operator: Operator, layout: Layout) -> None:
        """Exchange is work of the county agency; the attempt of another stays in the history."""
        if operator.has(Role.COUNTY):
            return
        books = self._books.by(operator.login)
        detail: dict[str, str | int | list[str]] = {"layout": layout.name, "reason": "role"}
        with books.store.writing() as connection:
            event = Event("exchange-refused", detail=detail)
            books.journal.append(connection, books.store.now(), event)
        raise ExchangeRefusedError(
            f"{operator.login} has no right to exchange files",
            hint="somebody of the county agency (role county) does it",
            zh=f"{operator.login} 没有交换文件的权限：须由县经办人员办理",
        )

    # -- questions ------------------------------------------------------------------------------

    def batches(self) -> Sequence[Batch]:
        """Every batch, oldest first."""
        with self._books.store.reading() as connection:
            return self.keeping.all(connection)


def _fitting(
    work: Work, outgoing: Outgoing
) -> tuple[bytes, pl.DataFrame, tuple[tuple[int, str], ...]]:
    """The file, the rows in it, and those that its layout cannot carry.

    What goes out was read again first, as its receiver will.
    """
    layout, rows = work.layout, outgoing.rows
    values = {"date": work.today, "batch": work.number, **outgoing.values}
    data = write(layout, rows, values)
    problems = read(layout, data, name=layout.name).rows[PROBLEM]
    bad = problems != ""
    if not bool(bad.any()):
        return data, rows, ()
    cards = rows[CARD].filter(bad).to_list()
    left_out = tuple(zip(cards, problems.filter(bad).to_list(), strict=True))
    rows = rows.filter(~bad)
    return write(layout, rows, values), rows, left_out


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
        f"batch {earlier.number} of {earlier.partner} was taken before with another content",
        hint="a corrected file gets a number of its own",
        zh=f"{earlier.partner} 的第{earlier.number}批已经导入，内容不同：更正后须另编批次号",
    )
