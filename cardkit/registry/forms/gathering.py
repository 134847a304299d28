"""From a wish ("the loss certificate of act 7") to what the paper says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection, select

from cardkit.errors import UsageError
from cardkit.registry.forms import list_sources, sources
from cardkit.registry.forms.kinds import Kind
from cardkit.registry.forms.printing import local
from cardkit.registry.forms.records import Content, Subject
from cardkit.registry.forms.sources import Desk
from cardkit.registry.places.fund import place_of
from cardkit.registry.schema.life import acts

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a paper is wanted about; which of them depends on its kind.

    Parameters
    ----------
    counts : tuple of int
        Counts of stock at one place.
    place : str
        Code of a place, for a statement that is not of one card.
    since, until : date
        First and last local day of a statement.
    means : str
        How a receipt was paid.
    """

    act: int | None = None
    lot: int | None = None
    counts: tuple[int, ...] = ()
    volume: int | None = None
    card: int | None = None
    place: str = ""
    since: date | None = None
    until: date | None = None
    means: str = "现金"


class Gathered(NamedTuple):
    """What `Forms.make` needs."""

    content: Content
    subject: Subject
    card_id: int | None = None


def gather(
    connection: Connection, desk: Desk, kind: Kind, wish: Wish, *, login: str, now: str
) -> Gathered:
    """Read what the paper says.

    Parameters
    ----------
    login, now : str
        Who makes it, and when (instant of the registry).

    Raises
    ------
    UsageError
        The wish does not say what the paper is to be about.
    NoSuchPaperError
        The registry has nothing like that.
    """
    if kind is Kind.HAND_OUT:
        lot = _given(wish.lot, kind, "--lot")
        return Gathered(list_sources.of_lot(connection, desk, lot), Subject("lot", lot))
    if kind is Kind.ARCHIVE:
        volume = _given(wish.volume, kind, "--volume")
        content = list_sources.of_volume(connection, desk, volume)
        return Gathered(content, Subject("volume", volume))
    if kind is Kind.COUNT:
        first = _given(min(wish.counts, default=None), kind, "--count")
        sheet = list_sources.of_counts(connection, desk, wish.counts)
        return Gathered(sheet, Subject("count", first))
    if kind is Kind.STATEMENT:
        return _statement(connection, desk, wish, login, now)
    act = _given(wish.act, kind, "--act")
    card_id = connection.execute(select(acts.c.card).where(acts.c.id == act)).scalar()
    if kind is Kind.RECEIPT:
        paid = sources.receipt_of(connection, desk, act, wish.means)
        return Gathered(paid, Subject("act", act), card_id)
    return Gathered(sources.of_act(connection, desk, act, kind), Subject("act", act), card_id)


def _statement(connection: Connection, desk: Desk, wish: Wish, login: str, now: str) -> Gathered:
    if bool(wish.place) == (wish.card is not None):
        raise UsageError(
            "a statement is about a card or about a place",
            hint="give --card or --place, and the first day with --since",
            zh="业务清单须指明卡（--card）或单位（--place）之一，并用 --since 给出起始日期",
        )
    since = _given(wish.since, Kind.STATEMENT, "--since")
    content = sources.statement_of(
        connection,
        desk,
        (since, wish.until or date.fromisoformat(local(now, desk.hours)[:10])),
        card_id=wish.card,
        place=wish.place,
        login=login,
        now=now,
    )
    if wish.card is None:
        return Gathered(content, Subject("place", place_of(connection, wish.place).place_id))
    return Gathered(content, Subject("card", wish.card), wish.card)


def _given(value: T | None, kind: Kind, option: str) -> T:
    if value is None:
        raise UsageError(
            f"{kind.value}: what about?",
            hint=f"give {option}; `cardkit forms templates` shows what each paper is about",
            zh=f"请用 {option} 指明单据的对象；cardkit forms templates 可查看",
        )
    return value
