"""What receiving and sending share: layouts, partners, what is kept, and who may."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from cardkit.registry.books import Books
from cardkit.registry.exchange.errors import ExchangeRefusedError
from cardkit.registry.exchange.keeping import Batch, Keeping
from cardkit.registry.exchange.layout import Layout
from cardkit.registry.exchange.partners import Partner, Partners
from cardkit.registry.exchange.work import Life, Work
from cardkit.registry.journal import Event
from cardkit.registry.operators.roles import Operator, Role


class Office:
    """The exchange of one registry.

    Parameters
    ----------
    layouts : mapping
        By name.
    life : Life, optional
        The lifecycle, for files that report losses.
    stock_place : str
        Place whose stock a factory's cards come into; ``''`` when that is not kept.
    """

    def __init__(
        self,
        books: Books,
        layouts: Mapping[str, Layout],
        life: Life | None,
        stock_place: str = "",
    ) -> None:
        self.books = books
        self.layouts = layouts
        self.life = life
        self.stock_place = stock_place
        self.partners = Partners(books)
        self.keeping = Keeping(books)

    def check_right(self, operator: Operator) -> None:
        """Exchange is work of the county agency.

        Raises
        ------
        ExchangeRefusedError
            Another role.
        """
        if not operator.has(Role.COUNTY):
            raise ExchangeRefusedError(
                "role",
                f"{operator.login} has no right to exchange files",
                hint="somebody of the county agency (role county) does it",
                zh=f"{operator.login} 没有交换文件的权限：须由县经办人员办理",
            )

    def work(
        self,
        connection: Connection,
        layout: Layout,
        partner: Partner,
        number: str,
        operator: Operator,
        question: Batch | None = None,
    ) -> Work:
        """A new batch, drawn inside its transaction."""
        books = self.books.by(operator.login)
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
            life=self.life,
            question=question,
            question_layout=self.layouts.get(layout.answers),
            stock_place=self.stock_place,
        )

    def note(self, work: Work, batch: Batch) -> None:
        """The entry of a batch in the history."""
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
