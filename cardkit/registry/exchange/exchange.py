"""Files in, files out: each is one durable commit, with everything it changes.

A file comes → it is read and checked as a whole → in one transaction it is kept, applied and
answered. The same file again finds its batch and changes nothing; the same number with another
content is refused. A file that goes is kept as it is before it is sealed to its receiver.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cardkit.registry.books import Books
from cardkit.registry.exchange import catalogue
from cardkit.registry.exchange.keeping import Batch
from cardkit.registry.exchange.layout import Layout
from cardkit.registry.exchange.office import Office
from cardkit.registry.exchange.receipt import Receipt
from cardkit.registry.exchange.receiving import Receiving
from cardkit.registry.exchange.sending import Sending
from cardkit.registry.exchange.work import Life

__all__ = ["Exchange", "Receipt"]


class Exchange:
    """The exchange of files with one registry.

    Parameters
    ----------
    layouts : mapping, optional
        Default: those that come with cardkit.
    life : Life, optional
        The lifecycle, for files that report losses.
    stock_place : str
        Place whose stock a factory's cards come into; ``''`` when that is not kept.
    """

    def __init__(
        self,
        books: Books,
        *,
        layouts: Mapping[str, Layout] | None = None,
        life: Life | None = None,
        stock_place: str = "",
    ) -> None:
        self._books = books
        known = catalogue.shipped() if layouts is None else layouts
        office = Office(books, known, life, stock_place)
        self.layouts = office.layouts
        self.partners = office.partners
        self.keeping = office.keeping
        self.check_right = office.check_right
        self.receive = Receiving(office).receive
        sending = Sending(office)
        self.send, self.reissue, self.again = sending.send, sending.reissue, sending.again

    def batches(self) -> Sequence[Batch]:
        """Every batch, oldest first."""
        with self._books.store.reading() as connection:
            return self.keeping.all(connection)
