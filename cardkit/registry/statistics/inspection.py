"""Inspection 稽核: random samples that anybody can draw again, and results that stay as said.

A sample is drawn by its seed: of the entries of the history that are asked for, those whose
SHA-256(seed ‖ sequence) is smallest. The same seed gives the same sample on any computer.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from heapq import nsmallest
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, insert, or_, select

from cardkit.registry.attempts import attempted, need_role
from cardkit.registry.books import Books
from cardkit.registry.journal import Detail
from cardkit.registry.operators import Operator, Role
from cardkit.registry.places.fund import place_of, within
from cardkit.registry.schema.cards import history
from cardkit.registry.schema.inspection import sample_items, sample_results, samples
from cardkit.registry.schema.places import places, residence
from cardkit.registry.statistics.errors import StatisticsError
from cardkit.registry.statistics.periods import bounds

FINE = "fine"
FAULTS: Mapping[str, str] = {
    FINE: "无误",
    "papers": "材料不全",
    "signature": "缺签字或盖章",
    "identity": "身份不符",
    "data": "信息有误",
    "face": "卡面有误",
    "chip": "芯片信息不符",
    "fee": "收费不符",
    "procedure": "程序不合规",
    "not-found": "查无档案",
}
"""Results of looking at an item: fine, or the kind of fault."""


@dataclass(frozen=True, slots=True)
class SampleItem:
    """An item of a sample, with the result that counts.

    Parameters
    ----------
    entry : int
        Sequence in the history of the act that was drawn.
    result : str
        One of `FAULTS`, ``''`` before anybody looked.
    said : int
        How often something was said about it; more than once: it was corrected.
    """

    position: int
    card_id: int
    entry: int
    result: str = ""
    note: str = field(default="", repr=False)
    by: str = ""
    at: str = ""
    said: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """A random sample."""

    sample_id: int
    instant: str
    operator: str
    seed: str
    action: str
    place: str
    since: str
    until: str
    population: int
    items: tuple[SampleItem, ...]

    def as_json(self) -> dict[str, Any]:
        """The sample for programs."""
        return asdict(self) | {"size": len(self.items)}


def draw(seed: str, entries: Iterable[tuple[int, int]], size: int) -> list[tuple[int, int]]:
    """`size` of (sequence, card) by the smallest digests; in the order of the history.

    Examples
    --------
    >>> draw("7", [(1, 10), (2, 20), (3, 30)], 2) == draw("7", [(3, 30), (2, 20), (1, 10)], 2)
    True
    """

    def rank(entry: tuple[int, int]) -> bytes:
        return sha256(f"{seed}:{entry[0]}".encode()).digest()

    return sorted(nsmallest(size, entries, key=rank))


class Inspection:
    """Draws samples, and keeps what inspectors say about their items."""

    def __init__(self, books: Books, utc_offset: int = 8) -> None:
        self._books = books
        self._offset = utc_offset

    def sample(
        self,
        action: str,
        size: int,
        *,
        seed: str,
        operator: Operator,
        place: str = "",
        since: str = "",
        until: str = "",
    ) -> Sample:
        """Draw a sample of acts and keep it, with its seed.

        Parameters
        ----------
        action : str
            As the history calls it (``hand-out``, ``replace`` ...).

        Raises
        ------
        StatisticsError
            Nothing of that kind happened there and then.
        """
        begin, end = bounds(since, until, self._offset)
        with attempted(self._books, operator, "sample"):
            need_role(operator, "sample", Role.INSPECTOR, Role.COUNTY)
            with self._books.store.writing() as connection:
                here = place_of(connection, place).place_id if place else None
                entries = _entries(connection, action, here, begin, end)
                if not entries or size < 1:
                    raise StatisticsError(
                        "empty",
                        f"the history has no '{action}' there and then",
                        hint="another action, place or period",
                        zh=f"该地点和期间没有 {action} 业务可供抽查",
                    )
                number = self._books.counters.draw(connection, samples.name)
                chosen = draw(seed, entries, size)
                now = self._books.store.now()
                connection.execute(
                    insert(samples).values(
                        id=number, instant=now, operator=operator.login, seed=seed, action=action,
                        place=here, since=since, until=until, population=len(entries),
                        size=len(chosen),
                    )
                )  # fmt: skip
                rows = [
                    {"sample": number, "position": at, "card": card, "entry": entry}
                    for at, (entry, card) in enumerate(chosen, 1)
                ]
                connection.execute(insert(sample_items), rows)
                detail: Detail = {
                    "sample": number,
                    "for": action,
                    "place": place,
                    "seed": seed,
                    "population": len(entries),
                    "size": len(chosen),
                }
                self._books.note(connection, operator.login, "sample", detail)
        return self.show(number)

    def say(
        self,
        sample_id: int,
        position: int,
        result: str,
        *,
        operator: Operator,
        note: str = "",
        correct: bool = False,
    ) -> SampleItem:
        """Say what looking at an item showed; once said it stays, and can only be corrected.

        Parameters
        ----------
        correct : bool
            What was said before was wrong; both stay.

        Raises
        ------
        StatisticsError
            No such item or result, or something was said already.
        """
        action = "sample-result"
        with attempted(self._books, operator, action):
            need_role(operator, action, Role.INSPECTOR, Role.COUNTY)
            if result not in FAULTS:
                raise StatisticsError("result", f"no result {result!r}", hint=", ".join(FAULTS))
            with self._books.store.writing() as connection:
                before = _last_said(connection, sample_id, position)
                _check_said(connection, sample_id, position, before, correct=correct)
                number = self._books.counters.draw(connection, sample_results.name)
                connection.execute(
                    insert(sample_results).values(
                        id=number, sample=sample_id, position=position,
                        instant=self._books.store.now(), operator=operator.login, result=result,
                        note=note, corrects=before,
                    )
                )  # fmt: skip
                detail: dict[str, str | int | list[str]] = {
                    "sample": sample_id,
                    "position": position,
                    "result": result,
                }
                if before is not None:
                    detail["corrects"] = before
                self._books.note(connection, operator.login, action, detail)
        return self.show(sample_id).items[position - 1]

    def show(self, sample_id: int) -> Sample:
        """A sample with its results.

        Raises
        ------
        StatisticsError
            There is none.
        """
        with self._books.store.reading(snapshot=True) as connection:
            query = _SAMPLES.where(samples.c.id == sample_id)
            row = connection.execute(query).mappings().first()
            if row is None:
                raise StatisticsError(
                    "unknown", f"there is no sample {sample_id}",
                    hint="cardkit registry sample list", zh=f"没有抽查{sample_id}",
                )  # fmt: skip
            return _sample(connection, row)

    def list(self) -> builtins.list[Sample]:
        """Every sample with its results, the newest first."""
        with self._books.store.reading(snapshot=True) as connection:
            rows = connection.execute(_SAMPLES.order_by(samples.c.id.desc())).mappings().all()
            return [_sample(connection, row) for row in rows]

    def again(self, sample_id: int) -> bool:
        """Whether drawing with the kept seed gives the same items."""
        kept = self.show(sample_id)
        begin, end = bounds(kept.since, kept.until, self._offset)
        with self._books.store.reading(snapshot=True) as connection:
            here = place_of(connection, kept.place).place_id if kept.place else None
            entries = _entries(connection, kept.action, here, begin, end)
        # The history only grows: what could be drawn then are the first entries of today.
        drawn = draw(kept.seed, entries[: kept.population], len(kept.items))
        return drawn == [(item.entry, item.card_id) for item in kept.items]


_SAMPLES = select(samples, places.c.code).select_from(
    samples.outerjoin(places, places.c.id == samples.c.place)
)


def _sample(connection: Connection, row: RowMapping) -> Sample:
    said = _results(connection, row["id"])
    items = connection.execute(
        select(sample_items.c.position, sample_items.c.card, sample_items.c.entry)
        .where(sample_items.c.sample == row["id"])
        .order_by(sample_items.c.position)
    ).all()
    return Sample(
        row["id"], row["instant"], row["operator"], row["seed"], row["action"],
        row["code"] or "", row["since"], row["until"], row["population"],
        tuple(SampleItem(*item, *said.get(item[0], ())) for item in items),
    )  # fmt: skip


def _entries(
    connection: Connection, action: str, place: int | None, begin: str, end: str
) -> list[tuple[int, int]]:
    """(sequence, card) of what may be drawn."""
    entry, home = history.c, residence.c
    query = select(entry.sequence, entry.card).where(
        entry.action == action,
        entry.card.is_not(None),
        entry.instant >= begin,
        entry.instant < end,
    )
    if place is not None:
        then = and_(
            home.person == entry.person,
            home.since <= entry.instant,
            or_(home.until == "", home.until > entry.instant),
        )
        query = query.join_from(history, residence, then).where(
            home.place.in_(within(connection, place))
        )
    rows = connection.execute(query.order_by(entry.sequence))
    return [(row[0], row[1]) for row in rows]


def _last_said(connection: Connection, sample_id: int, position: int) -> int | None:
    """The result that nothing corrects."""
    later = sample_results.alias("later")
    found = connection.execute(
        select(sample_results.c.id).where(
            sample_results.c.sample == sample_id,
            sample_results.c.position == position,
            ~select(later.c.id).where(later.c.corrects == sample_results.c.id).exists(),
        )
    ).scalar()
    return None if found is None else int(found)


def _check_said(
    connection: Connection, sample_id: int, position: int, before: int | None, *, correct: bool
) -> None:
    item = select(sample_items.c.card).where(
        sample_items.c.sample == sample_id, sample_items.c.position == position
    )
    if connection.execute(item).first() is None:
        raise StatisticsError("unknown", f"sample {sample_id} has no item {position}")
    if before is not None and not correct:
        raise StatisticsError(
            "said",
            f"item {position} of sample {sample_id} has its result",
            hint="a result is never changed; --correct adds one that corrects it",
            zh=f"样本{sample_id}第{position}项已有结论，不能修改；只能用 --correct 追加更正",
        )
    if before is None and correct:
        raise StatisticsError("said", f"item {position} has no result to be corrected")


def _results(connection: Connection, sample_id: int) -> dict[int, tuple[str, str, str, str, int]]:
    table = sample_results.c
    found: dict[int, tuple[str, str, str, str, int]] = {}
    for row in connection.execute(
        select(table.position, table.result, table.note, table.operator, table.instant)
        .where(table.sample == sample_id)
        .order_by(table.id)
    ):
        said = found[row[0]][4] + 1 if row[0] in found else 1
        found[row[0]] = (row[1], row[2], row[3], row[4], said)
    return found
