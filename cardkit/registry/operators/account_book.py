"""The rows of accounts, for those who keep them: who somebody is, changing, locking, telling."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, update

from cardkit.registry.books import Books
from cardkit.registry.journal import Detail, Event
from cardkit.registry.operators.errors import NotAllowedError
from cardkit.registry.operators.roles import Operator, Role
from cardkit.registry.schema.base import columns
from cardkit.registry.schema.operators import operators, sessions
from cardkit.registry.statements import AnyRow

COLUMNS = columns(operators, "id", "login", "name", "roles", "place")


class AccountBook:
    """The accounts inside transactions of others."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def current(self, connection: Connection, login: str) -> Operator:
        """The person with that login, inside a transaction of somebody else's; raises as `get`."""
        row = connection.execute(
            select(*COLUMNS, operators.c.locked_for).where(operators.c.login == login)
        ).first()
        if row is None:
            raise NotAllowedError(
                "unknown-operator",
                "there is no account with that login",
                hint="an administrator adds it: cardkit operator add",
                zh="没有这个操作员账号：请系统管理员用 cardkit operator add 建立",
            )
        if row[5]:
            raise locked()
        return operator_of(row)

    def _administrator(self, connection: Connection, by: Operator) -> None:
        if not self.current(connection, by.login).has(Role.ADMINISTRATOR):
            raise NotAllowedError(
                "role",
                "accounts are kept by an administrator",
                hint="sign in as one: cardkit operator sign-in",
                zh="账号由系统管理员管理：请以系统管理员身份登录",
            )

    def _keep_an_administrator(self, connection: Connection, login: str) -> None:
        query = select(func.count()).where(
            operators.c.roles.contains(Role.ADMINISTRATOR.value),
            operators.c.locked_for == "",
            operators.c.login != login,
        )
        if not connection.execute(query).scalar_one():
            raise NotAllowedError(
                "last-administrator",
                "this is the last administrator",
                hint="give the role to somebody else first",
                zh="这是最后一名系统管理员：请先把该角色授予他人",
            )

    def _change(self, connection: Connection, login: str, **values: str | int) -> None:
        done = connection.execute(
            update(operators).where(operators.c.login == login).values(**values)
        )
        if not done.rowcount:
            self.current(connection, login)  # says that there is none

    def _lock(self, connection: Connection, login: str, reason: str) -> None:
        now = self._books.store.now()
        self._change(connection, login, locked_at=now, locked_for=reason)
        self._end_sessions(connection, login, "locked")

    def _end_sessions(self, connection: Connection, login: str, reason: str) -> None:
        of_login = select(operators.c.id).where(operators.c.login == login).scalar_subquery()
        connection.execute(
            update(sessions)
            .where(sessions.c.operator == of_login, sessions.c.closed_at == "")
            .values(closed_at=self._books.store.now(), closed_for=reason)
        )

    def _note(self, connection: Connection, actor: str, action: str, detail: Detail) -> None:
        journal = self._books.journal.by(actor)
        journal.append(connection, self._books.store.now(), Event(action, detail=detail))


def operator_of(row: AnyRow) -> Operator:
    """The person of a row of `COLUMNS`."""
    return Operator(row[0], row[1], row[2], frozenset(map(Role, row[3].split())), row[4])


def locked() -> NotAllowedError:
    """Why somebody whose account is locked is refused."""
    return NotAllowedError(
        "locked",
        "this account is locked",
        hint="an administrator unlocks it: cardkit operator lock --undo",
        zh="账号已锁定：请系统管理员解锁（cardkit operator lock --undo）",
    )
