"""Who is signed in: a token in the hands of a program, its digest in the registry.

A person who does nothing for a while is signed off by the next question (自动退出).
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, insert, select, update

from cardkit.registry.books import Books
from cardkit.registry.journal import Event
from cardkit.registry.operators.accounts import Operators
from cardkit.registry.operators.errors import NotAllowedError
from cardkit.registry.operators.roles import Operator
from cardkit.registry.operators.rules import OperatorRules
from cardkit.registry.schema.base import columns
from cardkit.registry.schema.operators import operators, sessions
from cardkit.registry.store import instant

_TOKEN = 32  # bytes


class Sessions:
    """Signing in and off.

    Parameters
    ----------
    books : Books
    people : Operators
        Whose passwords count.
    """

    def __init__(self, books: Books, people: Operators, rules: OperatorRules | None = None) -> None:
        self._books = books
        self._people = people
        self._rules = rules or OperatorRules()

    def sign_in(self, login: str, password: str) -> str:
        """Begin to work; returns the token to be kept by this person's program alone.

        Raises
        ------
        NotAllowedError
            See `Operators.authenticate`.
        """
        operator = self._people.authenticate(login, password)
        token = secrets.token_urlsafe(_TOKEN)
        with self._books.store.writing() as connection:
            now = self._books.store.now()
            number = self._books.counters.draw(connection, sessions.name)
            connection.execute(
                insert(sessions).values(
                    id=number,
                    operator=operator.operator_id,
                    digest=_digest(token),
                    opened_at=now,
                    seen_at=now,
                )
            )
            self._note(connection, operator.login, "sign-in", number)
        return token

    def touch(self, token: str) -> Operator:
        """Who works here; the time until they are signed off begins anew.

        Raises
        ------
        NotAllowedError
            Not signed in, signed off, idle for too long, or the account was locked.
        """
        refused: NotAllowedError | None = None
        with self._books.store.writing() as connection:
            row = connection.execute(
                select(*columns(sessions, "id", "seen_at", "closed_at"), operators.c.login)
                .join_from(sessions, operators, sessions.c.operator == operators.c.id)
                .where(sessions.c.digest == _digest(token))
            ).first()
            if row is None or row[2]:
                raise _signed_off("this session has ended")
            now = self._books.store.now()
            if now > _later(row[1], minutes=self._rules.idle_minutes):
                self._close(connection, row[0], row[3], "idle")
                refused = _signed_off("nothing was done for too long")
            else:
                operator = self._people.current(connection, row[3])
                seen = max(now, row[1])  # a clock set back gives nobody more time
                this = sessions.c.id == row[0]
                connection.execute(update(sessions).where(this).values(seen_at=seen))
        if refused is not None:
            raise refused
        return operator

    def sign_off(self, token: str) -> None:
        """End the session; ending it twice does nothing."""
        with self._books.store.writing() as connection:
            row = connection.execute(
                select(sessions.c.id, operators.c.login)
                .join_from(sessions, operators, sessions.c.operator == operators.c.id)
                .where(sessions.c.digest == _digest(token), sessions.c.closed_at == "")
            ).first()
            if row is not None:
                self._close(connection, row[0], row[1], "sign-off")

    def _close(self, connection: Connection, number: int, login: str, reason: str) -> None:
        values = {"closed_at": self._books.store.now(), "closed_for": reason}
        connection.execute(update(sessions).where(sessions.c.id == number).values(**values))
        self._note(connection, login, "sign-off", number, reason)

    def _note(
        self, connection: Connection, login: str, action: str, number: int, reason: str = ""
    ) -> None:
        detail = {"session": number} | ({"why": reason} if reason else {})
        journal = self._books.journal.by(login)
        journal.append(connection, self._books.store.now(), Event(action, detail=detail))


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _later(text: str, *, minutes: int) -> str:
    then = datetime.fromisoformat(text) + timedelta(minutes=minutes)
    return instant(lambda: then)


def _signed_off(what: str) -> NotAllowedError:
    return NotAllowedError(
        "signed-off",
        what,
        hint="sign in again: cardkit operator sign-in",
        zh="未登录或已自动退出：请重新登录（cardkit operator sign-in）",
    )
