"""The other ends: banks, agencies, factories, terminal operators."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from cardkit.errors import UsageError
from cardkit.registry.books import Books
from cardkit.registry.exchange import sealing
from cardkit.registry.exchange.errors import ExchangeError, ExchangeRefusedError
from cardkit.registry.exchange.refusals import kept_refusals
from cardkit.registry.journal import Event
from cardkit.registry.operators.roles import Operator, Role
from cardkit.registry.schema.exchange import partners


@dataclass(frozen=True, slots=True)
class Partner:
    """Who files come from and go to.

    Parameters
    ----------
    name : str
        Short, of letters, digits and ``-``: part of file names.
    recipient : str
        Public age key that files are sealed to, ``''`` for a partner that gets none.
    layouts : frozenset of str
        What may be exchanged with it.
    """

    name: str
    recipient: str
    layouts: frozenset[str]

    def check_allowed(self, layout: str) -> None:
        """Refuse a layout that was not agreed upon.

        Raises
        ------
        ExchangeRefusedError
            It was not.
        """
        if layout not in self.layouts:
            raise ExchangeRefusedError(
                "layout",
                f"layout {layout} is not agreed upon with {self.name}",
                hint="an administrator allows it with `cardkit registry exchange partner`",
                zh=f"未约定与 {self.name} 交换“{layout}”文件：由管理员设定",
            )


class Partners:
    """The partners of one registry."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def agree(
        self, name: str, *, operator: Operator, recipient: str = "", layouts: Sequence[str] = ()
    ) -> Partner:
        """Agree with a partner, as an administrator only may.

        Raises
        ------
        ExchangeRefusedError
            Another role; the attempt is in the history.
        UsageError
            The name or the key cannot be used.
        """
        books = self._books.by(operator.login)
        with kept_refusals(books):
            if not operator.has(Role.ADMINISTRATOR):
                raise ExchangeRefusedError(
                    "partner",
                    "only an administrator agrees with partners",
                    hint="sign in as one: cardkit operator sign-in LOGIN",
                    zh="交换单位只能由系统管理员设定",
                )
        return Partners(books).set(name, recipient=recipient, layouts=layouts)

    def set(self, name: str, *, recipient: str = "", layouts: Sequence[str] = ()) -> Partner:
        """Agree with a partner, or change what was agreed; in the history.

        Raises
        ------
        UsageError
            The name or the key cannot be used.
        """
        if not re.fullmatch(r"[A-Za-z0-9-]{1,20}", name):
            raise UsageError(
                "a partner's name is 1-20 letters, digits and -", hint="it stands in file names"
            )
        if recipient:
            sealing.check_recipient(recipient)
        books = self._books
        with books.store.writing() as connection:
            now = books.store.now()
            values = {"recipient": recipient, "layouts": " ".join(layouts), "changed_at": now}
            changed = connection.execute(
                update(partners).where(partners.c.name == name).values(values)
            )
            if not changed.rowcount:
                number = books.counters.draw(connection, "partners")
                connection.execute(insert(partners).values(id=number, name=name, **values))
            detail: dict[str, str | int | list[str]] = {
                "layouts": list(layouts),
                "partner": name,
                "recipient": recipient,
            }
            books.journal.append(connection, now, Event("exchange-partner", detail=detail))
        return Partner(name, recipient, frozenset(layouts))

    def get(self, connection: Connection, name: str) -> Partner:
        """The partner of that name.

        Raises
        ------
        ExchangeError
            There is none.
        """
        row = connection.execute(select(partners).where(partners.c.name == name)).mappings().first()
        if row is None:
            raise ExchangeError(
                f"there is no partner {name!r}",
                hint="`cardkit registry exchange partner` names and makes them",
                zh=f"没有名为 {name} 的交换单位：由管理员设定",
            )
        return Partner(row["name"], row["recipient"], frozenset(row["layouts"].split()))

    def all(self) -> list[Partner]:
        """All of them, by name."""
        with self._books.store.reading() as connection:
            rows = connection.execute(select(partners).order_by(partners.c.name)).mappings()
            return [
                Partner(row["name"], row["recipient"], frozenset(row["layouts"].split()))
                for row in rows
            ]
