"""What was refused stays in the history, though the transaction it broke is gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cardkit.registry.books import Books
from cardkit.registry.exchange.errors import ExchangeRefusedError
from cardkit.registry.journal import Event


@contextmanager
def kept_refusals(books: Books, **about: str | int) -> Iterator[None]:
    """Write a refusal of this block down: what it was about, and why.

    Parameters
    ----------
    **about : str or int
        Layout, batch ...: nothing personal, and nothing somebody typed that is not known here.
    """
    try:
        yield
    except ExchangeRefusedError as error:
        detail: dict[str, str | int | list[str]] = {**about, "reason": error.code}
        with books.store.writing() as connection:
            event = Event("exchange-refused", detail=detail)
            books.journal.append(connection, books.store.now(), event)
        raise
