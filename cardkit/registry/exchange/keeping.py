"""What is kept of every exchange: the batch, its files byte by byte, what became of each row."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from itertools import islice

import polars as pl
from sqlalchemy import Connection, Executable, insert, select

from cardkit.registry import postgres
from cardkit.registry.books import Books
from cardkit.registry.exchange.errors import ExchangeError
from cardkit.registry.schema.exchange import (
    exchange_batches,
    exchange_files,
    exchange_pieces,
    exchange_rows,
)
from cardkit.registry.statements import Statement, Value

Schema = Mapping[str, type[pl.DataType]]

ORIGINAL, SUCCESS, FAILURE, REPLY = "original", "success", "failure", "reply"
"""Roles of files: as it came or went; the rows that were done, that were not; the answer."""

_PIECE = 1 << 20  # bytes before they are compressed
_ROWS = 50_000
_FAST = 1  # of zlib: text shrinks to a quarter, at some hundred megabytes a second


@dataclass(frozen=True, slots=True)
class Batch:
    """An exchange that took place.

    Parameters
    ----------
    number : str
        Batch number 批次号, as it stands in the file.
    done, failed : int
        Rows; of a batch that was sent, `done` are those in it and `failed` those left out.
    """

    id: int
    direction: str
    layout: str
    version: int
    service: str
    partner: str
    number: str
    digest: str
    name: str
    rows: int
    done: int
    failed: int
    operator: str
    instant: str
    answers: int | None = None
    reissue_of: int | None = None

    def as_json(self) -> dict[str, object]:
        """For programs; nothing of it is personal."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of a batch."""

    id: int
    batch: int
    role: str
    name: str
    digest: str
    size: int


class Keeping:
    """Batches, files and rows of one registry."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._add_rows = Statement(
            insert(exchange_rows).inline(), ("batch", "row", "card", "result", "value")
        )
        self._add_pieces = Statement(insert(exchange_pieces).inline(), ("file", "place", "content"))

    def draw(self, connection: Connection) -> int:
        """Number of a new batch within the registry."""
        return self._books.counters.draw(connection, "exchange_batches")

    def add(self, connection: Connection, batch: Batch) -> None:
        """Write a batch down."""
        connection.execute(insert(exchange_batches).values(batch.as_json()))

    def find(
        self, connection: Connection, *, direction: str, layout: str, partner: str, number: str
    ) -> Batch | None:
        """The batch of that number."""
        table = exchange_batches.c
        row = connection.execute(
            select(exchange_batches).where(
                table.direction == direction,
                table.layout == layout,
                table.partner == partner,
                table.number == number,
            )
        ).first()
        return Batch(*row) if row else None

    def get(self, connection: Connection, batch_id: int) -> Batch:
        """The batch with that number of the registry.

        Raises
        ------
        ExchangeError
            There is none.
        """
        row = connection.execute(
            select(exchange_batches).where(exchange_batches.c.id == batch_id)
        ).first()
        if row is None:
            raise ExchangeError(
                f"there is no batch {batch_id}",
                hint="`cardkit registry exchange status` lists them",
                zh=f"没有第{batch_id}号批次：用 cardkit registry exchange status 查看",
            )
        return Batch(*row)

    def all(self, connection: Connection) -> list[Batch]:
        """Every batch, oldest first."""
        rows = connection.execute(select(exchange_batches).order_by(exchange_batches.c.id))
        return [Batch(*row) for row in rows]

    def answer_to(self, connection: Connection, batch_id: int) -> Batch | None:
        """The batch that answered another."""
        row = connection.execute(
            select(exchange_batches).where(exchange_batches.c.answers == batch_id)
        ).first()
        return Batch(*row) if row else None

    # -- files ----------------------------------------------------------------------------------

    def keep(
        self, connection: Connection, batch_id: int, role: str, name: str, parts: Iterable[bytes]
    ) -> KeptFile:
        """Keep a file as it is, compressed; it need not be in memory as a whole."""
        number = self._books.counters.draw(connection, "exchange_files")
        digest, size, packed = hashlib.sha256(), 0, []
        for part in parts:
            digest.update(part)
            size += len(part)
            packed += [
                zlib.compress(part[start : start + _PIECE], _FAST)
                for start in range(0, len(part), _PIECE)
            ]
        kept = KeptFile(number, batch_id, role, name, digest.hexdigest(), size)
        connection.execute(
            insert(exchange_files).values(
                id=number, batch=batch_id, role=role, name=name, digest=kept.digest, bytes=size
            )
        )
        for place, piece in enumerate(packed):
            self._add_pieces.run_many(connection, [(number, place, piece)])
        return kept

    def files(self, connection: Connection, batch_id: int) -> list[KeptFile]:
        """Files of a batch, in the order in which they were made."""
        rows = connection.execute(
            select(exchange_files)
            .where(exchange_files.c.batch == batch_id)
            .order_by(exchange_files.c.id)
        )
        return [KeptFile(*row) for row in rows]

    def original(self, connection: Connection, batch_id: int) -> KeptFile:
        """The file of a batch as it came or went."""
        return self.file(connection, batch_id, ORIGINAL)

    def file(self, connection: Connection, batch_id: int, role: str) -> KeptFile:
        """One file of a batch.

        Raises
        ------
        ExchangeError
            The batch has none of that role.
        """
        for kept in self.files(connection, batch_id):
            if kept.role == role:
                return kept
        raise ExchangeError(
            f"batch {batch_id} has no {role} file",
            hint="`cardkit registry exchange status` shows what there is",
            zh=f"第{batch_id}号批次没有该文件（{role}）",
        )

    def content(self, connection: Connection, file: KeptFile) -> bytes:
        """A kept file, byte by byte.

        Raises
        ------
        ExchangeError
            It is not what was kept.
        """
        pieces = connection.execute(
            select(exchange_pieces.c.content)
            .where(exchange_pieces.c.file == file.id)
            .order_by(exchange_pieces.c.place)
        )
        whole = BytesIO()  # joined pieces would be there twice
        for (piece,) in pieces:
            whole.write(zlib.decompress(piece))
        data = whole.getvalue()
        if hashlib.sha256(data).hexdigest() != file.digest:
            raise ExchangeError(
                f"the kept file {file.name} is damaged", hint="go back to the last backup"
            )
        return data

    # -- rows -----------------------------------------------------------------------------------

    def add_rows(
        self,
        connection: Connection,
        batch_id: int,
        rows: Iterable[tuple[int, int | None, str, str]],
    ) -> None:
        """Write down row, card, result and value of each row."""
        values: Iterator[tuple[Value, ...]] = ((batch_id, *row) for row in rows)
        count = 0
        while chunk := list(islice(values, _ROWS)):
            self._add_rows.run_many(connection, chunk)
            count += len(chunk)
        if count >= _ROWS and connection.dialect.name == "postgresql":
            postgres.analyze(connection, exchange_rows.name)

    def failed_cards(self, connection: Connection, batch_id: int) -> list[int]:
        """Cards of the rows of a batch that were answered with a failure."""
        rows = connection.execute(
            select(exchange_rows.c.card)
            .where(exchange_rows.c.batch == batch_id, exchange_rows.c.result != "ok")
            .order_by(exchange_rows.c.row)
        )
        return [card for (card,) in rows if card is not None]


def frame_of(connection: Connection, query: Executable, schema: Schema) -> pl.DataFrame:
    """The rows of a question as a frame."""
    frames = list(frames_of(connection, query, schema))
    return pl.concat(frames) if frames else pl.DataFrame(schema=schema)


def frames_of(connection: Connection, query: Executable, schema: Schema) -> Iterator[pl.DataFrame]:
    """The same, some thousand rows at a time."""
    result = connection.execute(query, execution_options={"yield_per": _ROWS})
    for part in result.partitions(_ROWS):
        yield pl.DataFrame([tuple(row) for row in part], schema=schema, orient="row")
