"""What somebody tried and was refused: one entry in the history, in a commit of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cardkit.registry.books import Books
from cardkit.registry.errors import (
    ClockSetBackError,
    RegistryError,
    RegistryUnavailableError,
)
from cardkit.registry.journal import Event
from cardkit.registry.operators import NotAllowedError, Operator, Role


@contextmanager
def attempted(books: Books, operator: Operator, action: str) -> Iterator[None]:
    """Run an act; when it is refused, the history says who tried what, and why not.

    The act's own transaction is rolled back before that, so nothing of it stays.
    """
    try:
        yield
    except (RegistryUnavailableError, ClockSetBackError):
        raise  # nothing can be written now
    except RegistryError as error:
        why = str(getattr(error, "code", "") or "not-possible")
        with books.store.writing() as connection:
            books.journal.by(operator.login).append(
                connection,
                books.store.now(),
                Event("refused", detail={"for": action, "why": why}),
            )
        raise


def need_role(operator: Operator, action: str, *roles: Role) -> None:
    """Refuse a person without one of some roles.

    Raises
    ------
    NotAllowedError
        Names the roles.
    """
    if not operator.has(*roles):
        wanted = ", ".join(sorted(roles))
        raise NotAllowedError(
            "role",
            f"{action} needs the role {' or '.join(sorted(roles))}",
            hint="let somebody with that role do it; `cardkit operator list` shows who has it",
            zh=f"您的角色不能执行 {action}，需要角色：{wanted}",
        )
