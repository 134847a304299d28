"""Counters that only go forward, and the numbers drawn from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, insert, select, update

from cardkit.registry import numbering, turn
from cardkit.registry.numbering import Numbering
from cardkit.registry.schema import cards, chips, counters
from cardkit.registry.statements import Statement

CARD = "card"
PERSON = "person"
CHIP = "chip"
BATCH = "batch"
_SERIAL_LIMIT = 1 << 8 * numbering.SERIAL_LENGTH


class Counters:
    """Number sequences of one registry; used inside a ``writing`` block only."""

    def peek(self, connection: Connection, name: str, first: int = 1) -> int:
        """The next number, not below `first`."""
        known = turn.of(connection).numbers
        if name not in known:
            row = _GET.first(connection, key=name)
            if row is None:
                return first
            known[name] = int(row[0])
        return max(known[name], first)

    def store(self, connection: Connection, name: str, following: int) -> None:
        """Keep where to go on."""
        if not _SET.run(connection, key=name, value=following):
            _NEW.run_many(connection, [(name, following)])
        turn.of(connection).numbers[name] = following

    def draw(self, connection: Connection, name: str) -> int:
        """One number of a sequence that starts at 1."""
        return self.block(connection, name, 1)

    def block(self, connection: Connection, name: str, count: int) -> int:
        """The first of `count` numbers in a row; where none is wanted nothing is asked."""
        if not count:
            return 0
        first = self.peek(connection, name)
        self.store(connection, name, first + count)
        return first

    def card_numbers(self, connection: Connection, rule: Numbering, count: int) -> list[str]:
        """Card numbers nobody has.

        Raises
        ------
        UsageError
            The range of the prefix is used up.
        """
        name = f"card_number:{rule.card_prefix}"
        found, following = numbering.draw(
            count,
            self.peek(connection, name, rule.card_first),
            rule.card_limit,
            partial(numbering.card_number, rule.card_prefix),
            lambda low, high: _firsts(_NUMBERS, connection, low=low, high=high),
            "card numbers",
        )
        self.store(connection, name, following)
        return found

    def id_codes(
        self, connection: Connection, district: str, count: int, first: int = 1
    ) -> list[bytes]:
        """Card id codes (12 bytes) that no record and no chip has.

        Raises
        ------
        UsageError
            The serials of the district are used up.
        """
        name = f"serial:{district}"

        def taken(low: bytes, high: bytes) -> Iterable[bytes]:
            yield from map(bytes, _firsts(_CODES, connection, low=low, high=high))
            yield from map(bytes, _firsts(_CHIPS, connection, low=low, high=high))

        make: Callable[[int], bytes] = partial(numbering.id_code, district)
        found, following = numbering.draw(
            count, self.peek(connection, name, first), _SERIAL_LIMIT, make, taken, "chip serials"
        )
        self.store(connection, name, following)
        return found


def _between(column: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    return select(column).where(column.between(bindparam("low"), bindparam("high")))


def _firsts(statement: Statement, connection: Connection, **values: str | bytes) -> Iterable[Any]:
    return (row[0] for row in statement.all(connection, **values))


_NAMED = counters.c.name == bindparam("key")
_GET = Statement(select(counters.c.next).where(_NAMED))
_SET = Statement(update(counters).where(_NAMED).values(next=bindparam("value")))
_NEW = Statement(insert(counters).inline(), ("name", "next"))
_NUMBERS = Statement(_between(cards.c.card_number))
_CODES = Statement(_between(cards.c.card_id_code))
_CHIPS = Statement(_between(chips.c.card_id_code))
