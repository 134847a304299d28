"""Accounts with real names 实名账号: who may do what, and that it is them (domain.md [D19])."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from cardkit.errors import UsageError
from cardkit.registry.books import Books
from cardkit.registry.journal import Detail
from cardkit.registry.operators import passwords
from cardkit.registry.operators.account_book import COLUMNS, AccountBook, locked, operator_of
from cardkit.registry.operators.errors import NotAllowedError
from cardkit.registry.operators.passwords import Cost
from cardkit.registry.operators.roles import Operator, Role
from cardkit.registry.operators.rules import OperatorRules
from cardkit.registry.schema.operators import operators
from cardkit.registry.schema.places import places

_LOGIN = re.compile(r"[a-z][a-z0-9._-]{1,31}")


class Account(NamedTuple):
    """An account as administrators see it."""

    operator: Operator
    locked_for: str
    made_at: str


class Operators(AccountBook):
    """The accounts of a registry.

    Parameters
    ----------
    books : Books
    rules : OperatorRules, optional
        The profile's; the shipped ones by default.
    cost : Cost, optional
        Of hashing a password.
    """

    def __init__(
        self, books: Books, rules: OperatorRules | None = None, *, cost: Cost | None = None
    ) -> None:
        super().__init__(books)
        self._rules = rules or OperatorRules()
        self._cost = cost or Cost()

    # -- questions ------------------------------------------------------------------------------

    def exist(self) -> bool:
        """Whether anybody has an account: from then on nobody works without one."""
        with self._books.store.reading() as connection:
            return connection.execute(select(operators.c.id).limit(1)).first() is not None

    def get(self, login: str) -> Operator:
        """The person with that login.

        Raises
        ------
        NotAllowedError
            There is none, or the account is locked.
        """
        with self._books.store.reading() as connection:
            return self.current(connection, login)

    def all(self) -> list[Account]:
        """Every account, in the order of making."""
        query = select(*COLUMNS, operators.c.locked_for, operators.c.made_at)
        with self._books.store.reading() as connection:
            rows = connection.execute(query.order_by(operators.c.id)).all()
        return [Account(operator_of(row), row[5], row[6]) for row in rows]

    # -- accounts -------------------------------------------------------------------------------

    def init(self, login: str, name: str, password: str) -> Operator:
        """The first account, of an administrator; only where there is none yet.

        Raises
        ------
        NotAllowedError
            There are accounts.
        """
        digest = self._new_password(login, password)
        with self._books.by(login).store.writing() as connection:
            if connection.execute(select(operators.c.id).limit(1)).first() is not None:
                raise NotAllowedError(
                    "not-first",
                    "this registry has accounts",
                    hint="an administrator adds further ones: cardkit operator add",
                    zh="登记库已有操作员账号：请系统管理员用 cardkit operator add 建立新账号",
                )
            return self._insert(
                connection, login, name, {Role.ADMINISTRATOR}, place="", digest=digest, by=login
            )

    def add(
        self,
        login: str,
        name: str,
        roles: Iterable[Role],
        password: str,
        *,
        place: str = "",
        by: Operator,
    ) -> Operator:
        """Make an account for a person.

        Raises
        ------
        NotAllowedError
            `by` is no administrator, the roles exclude each other, or the password is weak.
        UsageError
            No login can look like that, or it exists.
        """
        wanted = set(roles)
        self._rules.check_roles(wanted)
        digest = self._new_password(login, password)
        with self._books.store.writing() as connection:
            self._administrator(connection, by)
            taken = select(operators.c.id).where(operators.c.login == login)
            if connection.execute(taken).first() is not None:
                raise UsageError(
                    "an account with that login exists",
                    hint="cardkit operator list",
                    zh="账号已存在：cardkit operator list 可查看",
                )
            return self._insert(
                connection, login, name, wanted, place=place, digest=digest, by=by.login
            )

    def _insert(
        self,
        connection: Connection,
        login: str,
        name: str,
        roles: set[Role],
        *,
        place: str,
        digest: str,
        by: str,
    ) -> Operator:
        now = self._books.store.now()
        number = self._books.counters.draw(connection, operators.name)
        codes = " ".join(sorted(roles))
        connection.execute(
            insert(operators).values(
                id=number,
                login=login,
                name=name,
                roles=codes,
                place=place,
                password=digest,
                password_at=now,
                made_at=now,
                made_by=by,
            )
        )
        detail = {"operator": login, "roles": codes}
        self._note(connection, by, "operator-add", detail)
        return Operator(number, login, name, frozenset(roles), place)

    def set_roles(self, login: str, roles: Iterable[Role], *, by: Operator) -> Operator:
        """Give a person other roles; whoever is signed in works with them at once."""
        wanted = set(roles)
        self._rules.check_roles(wanted)
        with self._books.store.writing() as connection:
            self._administrator(connection, by)
            if Role.ADMINISTRATOR not in wanted:
                self._keep_an_administrator(connection, login)
            codes = " ".join(sorted(wanted))
            self._change(connection, login, roles=codes)
            detail = {"operator": login, "roles": codes}
            self._note(connection, by.login, "operator-roles", detail)
            return self.current(connection, login)

    def set_place(self, login: str, place: str, *, by: Operator) -> Operator:
        """Give a person another place to work at: the code of a known one, or ``''``.

        Raises
        ------
        UsageError
            There is no such place.
        """
        with self._books.store.writing() as connection:
            self._administrator(connection, by)
            known = select(places.c.id).where(places.c.code == place)
            if place and connection.execute(known).first() is None:
                raise UsageError(
                    f"there is no place {place!r}",
                    hint="`cardkit registry places` shows them",
                    zh=f"没有代码为 {place} 的地点：请先载入地点",
                )
            self._change(connection, login, place=place)
            detail = {"operator": login, "place": place}
            self._note(connection, by.login, "operator-place", detail)
            return self.current(connection, login)

    def lock(self, login: str, *, by: Operator) -> None:
        """Lock an account and end its sessions."""
        with self._books.store.writing() as connection:
            self._administrator(connection, by)
            self._keep_an_administrator(connection, login)
            self._lock(connection, login, "administrator")
            self._note(connection, by.login, "operator-lock", {"operator": login})

    def unlock(self, login: str, *, by: Operator) -> None:
        """Let a person work again."""
        with self._books.store.writing() as connection:
            self._administrator(connection, by)
            self._change(connection, login, locked_at="", locked_for="", wrong=0)
            self._note(connection, by.login, "operator-unlock", {"operator": login})

    # -- passwords ------------------------------------------------------------------------------

    def authenticate(self, login: str, password: str) -> Operator:
        """The person who knows this password.

        Wrong passwords are counted, durably; too many of them lock the account.

        Raises
        ------
        NotAllowedError
            Unknown login or wrong password (which of the two is not said), or locked.
        """
        known = self._digest(login)
        right = passwords.agrees(password, known or passwords.nobodys(self._cost))
        refused: NotAllowedError | None = None
        with self._books.store.writing() as connection:
            if not known or not right or self._digest(login, connection) != known:
                refused = self._wrong(connection, login)
            else:
                operator = self.current(connection, login)
                self._change(connection, login, wrong=0)
        if refused is not None:
            raise refused
        return operator

    def set_password(self, login: str, password: str, *, by: Operator) -> None:
        """Give oneself, or as an administrator somebody else, another password.

        Every session of that person ends.
        """
        digest = self._new_password(login, password)
        with self._books.store.writing() as connection:
            if by.login != login:
                self._administrator(connection, by)
            else:
                self.current(connection, login)
            now = self._books.store.now()
            self._change(connection, login, password=digest, password_at=now)
            self._end_sessions(connection, login, "password")
            self._note(connection, by.login, "operator-password", {"operator": login})

    def _new_password(self, login: str, password: str) -> str:
        if not _LOGIN.fullmatch(login):
            raise UsageError(
                "a login is 2 to 32 small letters, digits, dots and hyphens, a letter first",
                hint="for example li.ming",
                zh="账号为2至32位小写字母、数字、点或连字符，首位为字母，例如 li.ming",
            )
        self._rules.check_password(password, login)
        return passwords.hashed(password, self._cost)

    def _wrong(self, connection: Connection, login: str) -> NotAllowedError:
        query = select(operators.c.wrong, operators.c.locked_for)
        row = connection.execute(query.where(operators.c.login == login)).first()
        if row is not None and row[1]:
            self._note(connection, login, "sign-in-refused", {"operator": login, "why": "locked"})
            return locked()
        if row is not None:
            wrong = row[0] + 1
            self._change(connection, login, wrong=wrong)
            detail: Detail = {"operator": login, "why": "password", "wrong": wrong}
            self._note(connection, login, "sign-in-refused", detail)
            if wrong >= self._rules.lock_after:
                self._lock(connection, login, "wrong-passwords")
                self._note(connection, login, "operator-lock", {"operator": login})
                return locked()
        else:  # the login may be a password typed in the wrong place: it is not kept
            self._note(connection, "unknown", "sign-in-refused", {"why": "unknown"})
        return NotAllowedError(
            "password",
            "login or password is wrong",
            hint="too many wrong passwords lock the account",
            zh="账号或密码错误：多次输错将锁定账号",
        )

    def _digest(self, login: str, connection: Connection | None = None) -> str:
        query = select(operators.c.password).where(operators.c.login == login)
        if connection is not None:
            return connection.execute(query).scalar() or ""
        with self._books.store.reading() as reading:
            return reading.execute(query).scalar() or ""
