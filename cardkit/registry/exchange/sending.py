"""A file goes: made of what its receiver was not sent yet, read again, and kept."""

from __future__ import annotations

import hashlib

import polars as pl

from cardkit.registry.exchange import catalogue, naming
from cardkit.registry.exchange.checking import problem_named
from cardkit.registry.exchange.errors import ExchangeError
from cardkit.registry.exchange.keeping import ORIGINAL, Batch
from cardkit.registry.exchange.layout import Layout
from cardkit.registry.exchange.office import Office
from cardkit.registry.exchange.reading import PROBLEM, read
from cardkit.registry.exchange.receipt import Receipt
from cardkit.registry.exchange.refusals import kept_refusals
from cardkit.registry.exchange.services import SEND
from cardkit.registry.exchange.work import CARD, Outgoing, Work
from cardkit.registry.exchange.writing import UnwritableError, row_obstacles, write
from cardkit.registry.operators.roles import Operator

_LeftOut = tuple[tuple[int, str], ...]


class Sending:
    """Makes files that go out."""

    def __init__(self, office: Office) -> None:
        self._office = office

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
        with self._office.books.store.reading(snapshot=True) as connection:
            batch = self._office.keeping.get(connection, batch_id)
            answer = self._office.keeping.answer_to(connection, batch_id)
            failed = self._office.keeping.failed_cards(connection, answer.id) if answer else []
            again = any(b.reissue_of == batch_id for b in self._office.keeping.all(connection))
        if batch.direction != "out" or not failed or again:
            why = "was reissued already" if again else "has no rejected rows to send again"
            why_zh = "已经重发" if again else "没有可以重发的失败笔数"
            raise ExchangeError(
                f"batch {batch_id} {why}",
                hint="only rows that an answer rejected are sent again, in a new batch",
                zh=f"第{batch_id}号批次{why_zh}",
            )
        return self._send(batch.layout, batch.partner, operator, None, failed, batch_id)

    def again(self, batch_id: int, *, operator: Operator) -> Receipt:
        """An earlier batch and its files, to write one of them again; nothing changes.

        Raises
        ------
        ExchangeRefusedError
            No right to do it.
        ExchangeError
            There is no such batch.
        """
        office = self._office
        with kept_refusals(office.books.by(operator.login), batch=batch_id):
            office.check_right(operator)
        with office.books.store.reading(snapshot=True) as connection:
            batch = office.keeping.get(connection, batch_id)
            return Receipt(batch, tuple(office.keeping.files(connection, batch_id)), known=True)

    def _send(
        self,
        layout_name: str,
        partner: str,
        operator: Operator,
        limit: int | None,
        only: list[int] | None,
        reissue_of: int | None,
    ) -> Receipt:
        office = self._office
        layout = catalogue.get(office.layouts, layout_name)
        with kept_refusals(office.books.by(operator.login), layout=layout.name):
            office.check_right(operator)
            if layout.direction == "in" or layout.service not in SEND or layout.answers:
                raise ExchangeError(
                    f"{layout.name} is not a file that the registry sends by itself",
                    hint="`cardkit registry exchange layouts` shows directions",
                    zh=f"登记库不能单独发出“{layout.title}”文件",
                )
            with office.books.store.writing() as connection:
                agreed = office.partners.get(connection, partner)
                agreed.check_allowed(layout.name)
                name = f"exchange:{layout.name}:{partner}"
                number = naming.our_number(office.books.counters.draw(connection, name))
                work = office.work(connection, layout, agreed, number, operator)
                outgoing = SEND[layout.service](work, limit, only)
                return self._put(work, outgoing, reissue_of)

    def _put(self, work: Work, outgoing: Outgoing, reissue_of: int | None) -> Receipt:
        layout, connection = work.layout, work.connection
        data, rows, left_out = _fitting(work, outgoing)
        if not rows.height and layout.service != "blacklist":
            raise _nothing(layout, left_out)
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
        self._office.keeping.add(connection, batch)
        file = self._office.keeping.keep(connection, batch.id, ORIGINAL, batch.name, [data])
        kept = ((row, card, "", "") for row, card in enumerate(rows[CARD].to_list(), 1))
        self._office.keeping.add_rows(connection, batch.id, kept)
        outgoing.settle(rows)
        self._office.note(work, batch)
        return Receipt(batch, (file,), left_out=left_out)


def _nothing(layout: Layout, left_out: _LeftOut) -> ExchangeError:
    if not left_out:
        return ExchangeError(
            f"there is nothing to send as {layout.name}",
            hint="everything was sent already",
            zh=f"没有需要发送的“{layout.title}”数据",
        )
    card, problem = left_out[0]
    return ExchangeError(
        f"there is nothing to send as {layout.name}: the data of {len(left_out)} cards do not fit,"
        f" the first is record {card} ({problem})",
        hint="correct the records, or agree on a layout that carries them",
        zh=f"“{layout.title}”无法写出：{len(left_out)}张卡的数据不符，"
        f"第一张为第{card}号记录（{problem_named(layout, problem)}）；请更正记录或改用其他格式",
    )


def _fitting(work: Work, outgoing: Outgoing) -> tuple[bytes, pl.DataFrame, _LeftOut]:
    """The file, the rows in it, and those that its layout cannot carry.

    What goes out was read again first, as its receiver will.
    """
    layout, rows = work.layout, outgoing.rows
    values = {"date": work.today, "batch": work.number, **outgoing.values}
    obstacles: _LeftOut = ()
    try:
        data = write(layout, rows, values)
    except UnwritableError:  # of one row, or of header and trailer: that is raised again
        rows, obstacles = _without(rows, row_obstacles(layout, rows))
        data = write(layout, rows, values)
    problems = read(layout, data, name=layout.name).rows[PROBLEM]
    if not bool((problems != "").any()):
        return data, rows, obstacles
    rows, left_out = _without(rows, problems)
    return write(layout, rows, values), rows, tuple(sorted((*obstacles, *left_out)))


def _without(rows: pl.DataFrame, problems: pl.Series) -> tuple[pl.DataFrame, _LeftOut]:
    """Rows that have no problem; card and problem of the others."""
    bad = problems != ""
    cards = rows[CARD].filter(bad).to_list()
    return rows.filter(~bad), tuple(zip(cards, problems.filter(bad).to_list(), strict=True))
