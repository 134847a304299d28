"""The blacklist for terminals [D16]: all of it, or what changed since another version."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from sqlalchemy import Connection, Select, func, insert, select, update

from cardkit.registry.effective import effective_state
from cardkit.registry.exchange.keeping import Schema, frame_of
from cardkit.registry.exchange.reading import read
from cardkit.registry.exchange.work import Outgoing, Work
from cardkit.registry.schema import cards
from cardkit.registry.schema.exchange import blacklist_entries, exchange_batches
from cardkit.registry.schema.life import acts
from cardkit.registry.statements import Statement
from cardkit.registry.states import State

REASONS = {
    State.FROZEN: "01",
    State.LOST: "02",
    State.TEMPORARILY_LOST: "03",
    State.REPLACED: "04",
    State.CANCELLING: "05",  # a lost card stays on the list while it is being cancelled
    State.CANCELLED: "05",
    State.TRANSFERRED: "06",
    State.ENDED: "09",
}
"""Why a card that exists is stopped at terminals."""

_NOW: Schema = {"card": pl.Int64, "state": pl.String}
_THEN: Schema = {"card": pl.Int64, "change": pl.String, "then": pl.String}
_CARD: Schema = {
    "_card": pl.Int64,
    "_person": pl.Int64,
    "card_number": pl.String,
    "code": pl.Binary,
    "mac": pl.Binary,
}


def send(work: Work, limit: int | None, only: list[int] | None) -> Outgoing:  # noqa: ARG001
    """The list as it is now, as a new version when anything changed.

    A layout whose header has a ``base_version`` is a delta: against the version that this partner
    was sent last; without one, against nothing.
    """
    version = _renew(work)
    _settle(work)
    values = {"list_version": str(version)}
    if any(one.name == "base_version" for one in work.layout.header):
        base = _last_sent(work)
        values["base_version"] = str(base)
        entries = _difference(work.connection, base, version)
    else:
        listed = _as_of(work.connection, version)
        entries = listed.filter(pl.col("change") == "+")
    numbers = _numbers(work.connection, entries["card"])
    rows = entries.join(numbers, left_on="card", right_on="_card", how="inner").sort("card")
    rows = rows.rename({"card": "_card"}).with_columns(pl.col("then").alias("reason"))
    return Outgoing(rows, values)


def version_of(connection: Connection) -> int:
    """The newest version of the list, 0 before there is any."""
    return int(connection.execute(select(func.max(blacklist_entries.c.version))).scalar_one() or 0)


def _renew(work: Work) -> int:
    """Write down what changed since the newest version, as another one."""
    connection = work.connection
    version = version_of(connection)
    stopped, state = [str(state) for state in REASONS], effective_state(work.now)
    query = select(cards.c.id, state).where(
        cards.c.state.in_(stopped),  # for the index
        state.in_(stopped),  # for what has lapsed
        cards.c.card_id_code_mac.is_not(None),
    )
    codes = {str(state): code for state, code in REASONS.items()}
    now = frame_of(connection, query, _NOW).with_columns(
        pl.col("state").replace_strict(codes, default="").alias("now")
    )
    then = _as_of(connection, version).filter(pl.col("change") == "+")
    both = now.join(then, on="card", how="full", coalesce=True)
    changed = both.filter(pl.col("now").ne_missing(pl.col("then"))).sort("card")
    if not changed.height:
        return version
    add = Statement(
        insert(blacklist_entries).inline(),
        ("version", "card", "change", "reason"),
    )
    add.run_many(connection, list(_entries(version + 1, changed)))
    return version + 1


def _settle(work: Work) -> None:
    """The list now says what acts wanted it to say: nothing of that is left to be done."""
    work.connection.execute(
        update(acts)
        .where(
            acts.c.chip.in_(("blacklist", "unlist")),
            acts.c.subject == "card",
            acts.c.chip_done_at == "",
            acts.c.result == "done",
        )
        .values(chip_done_at=work.now)
    )


def _entries(version: int, changed: pl.DataFrame) -> Iterator[tuple[int, int, str, str]]:
    for card, reason in changed.select("card", "now").iter_rows():
        yield (version, card, "+" if reason else "-", reason or "")


def _as_of(connection: Connection, version: int) -> pl.DataFrame:
    """The last entry of each card up to a version."""
    entry, later = blacklist_entries.c, blacklist_entries.alias("later").c
    newer = (
        select(later.version)
        .where(later.card == entry.card, later.version > entry.version, later.version <= version)
        .exists()
    )
    query: Select[*tuple[object, ...]] = select(entry.card, entry.change, entry.reason).where(
        entry.version <= version, ~newer
    )
    return frame_of(connection, query, _THEN)


def _difference(connection: Connection, base: int, version: int) -> pl.DataFrame:
    """What changed between two versions; a card that came and went is not mentioned."""
    before = _as_of(connection, base).filter(pl.col("change") == "+")
    after = _as_of(connection, version).filter(pl.col("change") == "+")
    both = after.join(before, on="card", how="full", coalesce=True, suffix="_before")
    changed = both.filter(pl.col("then").ne_missing(pl.col("then_before")))
    sign = pl.when(pl.col("then").is_null()).then(pl.lit("-")).otherwise(pl.lit("+"))
    return changed.select("card", sign.alias("change"), pl.col("then").fill_null(""))


def _last_sent(work: Work) -> int:
    """The version that this partner was sent last, as the header of that file says."""
    table = exchange_batches.c
    last = work.connection.execute(
        select(table.id, table.layout)
        .where(
            table.direction == "out", table.service == "blacklist", table.partner == work.partner
        )
        .order_by(table.id.desc())
        .limit(1)
    ).first()
    if last is None:
        return 0
    file = work.keeping.original(work.connection, last[0])
    data = work.keeping.content(work.connection, file)
    return int(read(work.layouts[last[1]], data, name=file.name).header["list_version"])


def _numbers(connection: Connection, chosen: pl.Series) -> pl.DataFrame:
    frames = [pl.DataFrame(schema=_CARD)]
    for at in range(0, len(chosen), 5_000):
        some = chosen.slice(at, 5_000).to_list()
        query = select(
            cards.c.id, cards.c.person, cards.c.card_number, cards.c.card_id_code,
            cards.c.card_id_code_mac,
        ).where(cards.c.id.in_(some))  # fmt: skip
        frames.append(frame_of(connection, query, _CARD))
    found = pl.concat(frames)
    code = (pl.col("code").bin.encode("hex") + pl.col("mac").bin.encode("hex")).str.to_uppercase()
    return found.with_columns(code.alias("card_id_code"))
