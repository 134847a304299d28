"""The approval of a second person 双人复核: a record of its own, never a flag.

Somebody asks, somebody else grants or refuses, and the exact act on the exact subjects uses it
once, within its time. Refused approvals stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from cardkit.registry.books import Books
from cardkit.registry.errors import RegistryError
from cardkit.registry.journal import Detail, Event
from cardkit.registry.operators.accounts import Operators
from cardkit.registry.operators.approval import Approval, digest_of
from cardkit.registry.operators.errors import NotAllowedError
from cardkit.registry.operators.reasons import reason_code
from cardkit.registry.operators.roles import Operator, Role
from cardkit.registry.operators.rules import OperatorRules
from cardkit.registry.schema.base import columns
from cardkit.registry.schema.operators import approvals
from cardkit.registry.statements import AnyRow, Statement
from cardkit.registry.store import instant

ANYBODY = frozenset({Role.WINDOW, Role.TOWNSHIP, Role.COUNTY})
"""Who approves an action for which the rule set names nobody."""

_COLUMNS = columns(
    approvals,
    "id",
    "action",
    "digest",
    "subjects",
    "subject",
    "state",
    "reason",
    "asked_by",
    "asked_at",
    "decided_by",
    "decided_at",
    "used_at",
    "lapses_at",
)


class Approvals:
    """Asks, grants, refuses, uses.

    Parameters
    ----------
    books : Books
    approvers : mapping, optional
        Action → roles that may approve it; `ANYBODY` for the others.
    """

    def __init__(
        self,
        books: Books,
        *,
        rules: OperatorRules | None = None,
        approvers: Mapping[str, frozenset[Role]] | None = None,
    ) -> None:
        self._books = books
        self._rules = rules or OperatorRules()
        self._approvers = approvers or {}
        self._people = Operators(books, self._rules)
        names = [column.name for column in _COLUMNS]
        self._add = Statement(insert(approvals).inline(), names)

    def request(
        self, action: str, subjects: int | Iterable[int], *, operator: Operator
    ) -> Approval:
        """Ask for a second person.

        Parameters
        ----------
        subjects : int or iterable of int
            Card records, or whatever the action is about.
        """
        with self._books.store.writing() as connection:
            return self._ask(connection, action, _numbers(subjects), operator)

    def on_the_spot(
        self, action: str, subjects: int | Iterable[int], *, operator: Operator, second: Operator
    ) -> Approval:
        """Both people are here: ask and grant in one go.

        Raises
        ------
        NotAllowedError
            It is the same person, or the second one may not approve this.
        """
        with self._told(None, second), self._books.store.writing() as connection:
            return self.on_the_spot_in(
                connection, action, subjects, operator=operator, second=second
            )

    def on_the_spot_in(
        self,
        connection: Connection,
        action: str,
        subjects: int | Iterable[int],
        *,
        operator: Operator,
        second: Operator,
    ) -> Approval:
        """The same inside the transaction of the act; raises as `on_the_spot`."""
        asked = self._ask(connection, action, _numbers(subjects), operator)
        return self._decide(connection, asked, second, "granted", "")

    def take_back(self, number: int) -> None:
        """Void an approval given on the spot whose act did not use it."""
        with self._books.store.writing() as connection:
            self.take_back_in(connection, number)

    def take_back_in(self, connection: Connection, number: int) -> None:
        """The same inside a transaction; one that was used stays so."""
        found = self._get(connection, number)
        if found.state != "granted":
            return
        connection.execute(
            update(approvals)
            .where(approvals.c.id == number)
            .values(state="refused", reason="not-used")
        )
        detail: Detail = {"approval": number, "for": found.action, "reason": "not-used"}
        self._note(connection, found.asked_by, "approval-taken-back", detail)

    def grant(self, number: int, *, operator: Operator) -> Approval:
        """Approve.

        Raises
        ------
        NotAllowedError
            The person who asked, somebody without a role for it, too late, or decided already.
        """
        with self._told(number, operator), self._books.store.writing() as connection:
            asked = self._get(connection, number)
            return self._decide(connection, asked, operator, "granted", "")

    def refuse(self, number: int, *, operator: Operator, reason: str = "") -> Approval:
        """Refuse, with a reason from a list (no personal data); raises as `grant`.

        Raises
        ------
        UsageError
            The reason is no code word.
        """
        reason = reason_code(reason)
        with self._told(number, operator), self._books.store.writing() as connection:
            asked = self._get(connection, number)
            return self._decide(connection, asked, operator, "refused", reason)

    def use(
        self,
        connection: Connection,
        number: int,
        *,
        action: str,
        subject: int | Iterable[int],
        operator: Operator,
    ) -> Approval:
        """Use an approval up, in the transaction of the act that it is for.

        Raises
        ------
        NotAllowedError
            For another action, other subjects or another person; not granted, used, too late; or
            there is no such approval.
        """
        found = self._find(connection, number)
        if found is None:
            raise _refused("second-person", f"there is no approval {number}", "没有这个编号的审批")
        if found.digest != digest_of(action, _numbers(subject)) or found.asked_by != operator.login:
            raise _refused(
                "second-person", f"approval {number} is for something else", "与本次业务不符"
            )
        self._refuse_late(found)
        self._people.current(connection, found.decided_by or found.asked_by)
        now = self._books.store.now()
        done = connection.execute(
            update(approvals)
            .where(approvals.c.id == number, approvals.c.state == "granted")
            .values(state="used", used_at=now)
        )
        if not done.rowcount:
            raise _refused(
                "second-person", f"approval {number} is {found.state}", "未获批准或已使用"
            )
        return replace(found, state="used", used_at=now)

    def get(self, number: int) -> Approval:
        """The approval with that number."""
        with self._books.store.reading() as connection:
            return self._get(connection, number)

    def all(self, state: str | None = None) -> list[Approval]:
        """Approvals, newest first."""
        query = select(*_COLUMNS).order_by(approvals.c.id.desc())
        if state is not None:
            query = query.where(approvals.c.state == state)
        with self._books.store.reading() as connection:
            return [_approval(row) for row in connection.execute(query)]

    # -- inside ---------------------------------------------------------------------------------

    @contextmanager
    def _told(self, number: int | None, operator: Operator) -> Iterator[None]:
        """An attempt to decide that was refused is in the history all the same."""
        try:
            yield
        except NotAllowedError as error:
            detail: Detail = {"why": error.code, "approval": number or 0}
            with self._books.store.writing() as connection:
                self._note(connection, operator.login, "approval-denied", detail)
            raise

    def _ask(
        self, connection: Connection, action: str, subjects: list[int], operator: Operator
    ) -> Approval:
        asking = self._people.current(connection, operator.login)
        now = self._books.store.now()
        number = self._books.counters.draw(connection, approvals.name)
        lapse = datetime.fromisoformat(now) + timedelta(hours=self._rules.approval_hours)
        asked = Approval(
            number=number,
            action=action,
            digest=digest_of(action, subjects),
            subjects=len(subjects),
            subject=str(subjects[0]) if len(subjects) == 1 else "",
            state="asked",
            reason="",
            asked_by=asking.login,
            asked_at=now,
            decided_by="",
            decided_at="",
            used_at="",
            lapses_at=instant(lambda: lapse),
        )
        self._add.run_many(connection, [astuple(asked)])
        detail: Detail = {"approval": number, "for": action, "subjects": len(subjects)}
        self._note(connection, asking.login, "approval-ask", detail)
        return asked

    def _decide(
        self, connection: Connection, found: Approval, operator: Operator, state: str, reason: str
    ) -> Approval:
        deciding, number = self._people.current(connection, operator.login), found.number
        if found.asked_by == deciding.login:
            raise _refused(
                "same-person", "nobody approves what they asked for", "不能审批本人的申请"
            )
        if not deciding.has(*self._approvers.get(found.action, ANYBODY)):
            raise _refused("role", f"your role does not approve {found.action}", "您的角色无权审批")
        self._refuse_late(found)
        if found.state != "asked":
            raise _refused("decided", f"approval {number} is {found.state}", "该申请已处理")
        decided = replace(
            found,
            state=state,
            reason=reason,
            decided_by=deciding.login,
            decided_at=self._books.store.now(),
        )
        connection.execute(
            update(approvals)
            .where(approvals.c.id == number)
            .values(
                state=state,
                reason=reason,
                decided_by=decided.decided_by,
                decided_at=decided.decided_at,
            )
        )
        detail: Detail = {"approval": number, "for": found.action, "reason": reason}
        self._note(connection, deciding.login, f"approval-{state}", detail)
        return decided

    def _refuse_late(self, found: Approval) -> None:
        if self._books.store.now() > found.lapses_at:
            raise _refused("second-person", f"approval {found.number} has lapsed", "审批已过期")

    def _find(self, connection: Connection, number: int) -> Approval | None:
        row = connection.execute(select(*_COLUMNS).where(approvals.c.id == number)).first()
        return None if row is None else _approval(row)

    def _get(self, connection: Connection, number: int) -> Approval:
        found = self._find(connection, number)
        if found is None:
            raise RegistryError(
                f"there is no approval {number}",
                hint="cardkit approval list",
                zh=f"没有编号为{number}的审批：cardkit approval list 可查看",
            )
        return found

    def _note(self, connection: Connection, login: str, action: str, detail: Detail) -> None:
        journal = self._books.journal.by(login)
        journal.append(connection, self._books.store.now(), Event(action, detail=detail))


def _numbers(subjects: int | Iterable[int]) -> list[int]:
    return [subjects] if isinstance(subjects, int) else list(subjects)


def _approval(row: AnyRow) -> Approval:
    return Approval(*row)


def _refused(code: str, message: str, zh: str) -> NotAllowedError:
    return NotAllowedError(
        code,
        message,
        hint="cardkit approval list shows what is open",
        zh=f"{zh}：请用 cardkit approval list 查看",
    )
