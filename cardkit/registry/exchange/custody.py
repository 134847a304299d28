"""Files leave: sealed to their receiver, named after the person who moves them, noted [D19]."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from sqlalchemy import Connection, select

from cardkit import wholefile
from cardkit.registry.books import Books
from cardkit.registry.exchange import catalogue, sealing
from cardkit.registry.exchange.answering import reply_layout
from cardkit.registry.exchange.errors import ExchangeError, ExchangeRefusedError
from cardkit.registry.exchange.exchange import Exchange
from cardkit.registry.exchange.keeping import ORIGINAL, REPLY
from cardkit.registry.exchange.naming import carried_name, numbered
from cardkit.registry.exchange.refusals import kept_refusals
from cardkit.registry.journal import Event
from cardkit.registry.operators.roles import Operator
from cardkit.registry.schema.operators import operators


class Custody:
    """Hands kept files to the people who move them.

    Parameters
    ----------
    plain_allowed : bool
        Whether files may leave in clear; a profile says so.
    """

    def __init__(self, books: Books, exchange: Exchange, *, plain_allowed: bool = False) -> None:
        self._books = books
        self._exchange = exchange
        self._plain_allowed = plain_allowed

    def hand_over(
        self,
        batch_id: int,
        role: str,
        directory: Path,
        *,
        carrier: str,
        operator: Operator,
        plain: bool = False,
    ) -> Path:
        """Write a kept file for its carrier; who, when and which bytes are in the history first.

        Parameters
        ----------
        role : str
            ``original`` of a file that goes out; ``reply``, ``success`` or ``failure`` of one that
            came.
        carrier : str
            Login of the person who moves it.
        plain : bool
            In clear.

        Returns
        -------
        Path
            The file, readable by this user only; complete or not there at all. A name that is
            taken gets a number behind it.

        Raises
        ------
        ExchangeRefusedError
            Nobody of that name works here; the partner has no key; clear is not allowed.
        UsageError
            The file cannot be written.
        """
        books, keeping = self._books.by(operator.login), self._exchange.keeping
        with kept_refusals(books, batch=batch_id), books.store.writing() as connection:
            batch = keeping.get(connection, batch_id)
            file = keeping.file(connection, batch_id, role)
            if role == ORIGINAL and batch.direction == "in":
                raise _came(file.name)
            data = keeping.content(connection, file)
            recipient = self._check(connection, batch.partner, carrier, plain=plain)
            name = carried_name(file.name, carrier)
            if not plain:
                data, name = sealing.seal(data, recipient), name + sealing.SUFFIX
            name = _free(directory, name)
            detail: dict[str, str | int | list[str]] = {
                "batch": batch_id,
                "carrier": carrier,
                "digest": file.digest,
                "file": name,
                "left_as": "clear" if plain else "sealed",
                "left_digest": hashlib.sha256(data).hexdigest(),
                "partner": batch.partner,
            }
            event = Event("exchange-custody", detail=detail)
            books.journal.append(connection, books.store.now(), event)
        path = directory / name
        wholefile.write(
            path,
            data,
            overwrite=False,
            hint="name another directory; the batch is kept, the file can be written again",
            zh=f"不能写入 {path}：请指明其他文件夹；批次已保存，文件可重新写出",
        )
        return path

    def check(self, partner: str, *, carrier: str, operator: Operator, plain: bool = False) -> None:
        """Refuse now what `hand_over` would refuse when everything else is done.

        Raises
        ------
        ExchangeRefusedError
            As `hand_over`.
        ExchangeError
            There is no such partner.
        """
        books = self._books.by(operator.login)
        with kept_refusals(books), books.store.reading() as connection:
            self._check(connection, partner, carrier, plain=plain)

    def _check(self, connection: Connection, partner: str, carrier: str, *, plain: bool) -> str:
        """The key that files for this partner are sealed to."""
        agreed = self._exchange.partners.get(connection, partner)
        row = connection.execute(
            select(operators.c.locked_at).where(operators.c.login == carrier)
        ).first()
        if row is None or row[0]:
            raise ExchangeRefusedError(
                "carrier",
                f"{carrier} has no account here that is in use: who moves files is known by name",
                hint="name the login of the person who carries the file",
                zh=f"{carrier} 没有有效的实名账户：请指明携带文件人员的登录名",
            )
        if plain and not self._plain_allowed:
            raise ExchangeRefusedError(
                "clear",
                "files do not leave in clear here",
                hint="seal it, or set plain_files in [exchange] of the profile",
                zh="本地规定文件不得以明文带出：请加密，或由配置 [exchange] 的 plain_files 许可",
            )
        if not plain and not agreed.recipient:
            raise ExchangeRefusedError(
                "key",
                f"{agreed.name} has no public key, so nothing can be sealed to it",
                hint="`cardkit registry exchange partner` sets its key",
                zh=f"{agreed.name} 没有公钥，文件无法加密：由管理员设定",
            )
        return agreed.recipient

    def look(self, batch_id: int, role: str, *, operator: Operator) -> Sequence[str]:
        """Lines of a kept file, for the clerk's screen; that somebody looked is in the history.

        Raises
        ------
        ExchangeRefusedError
            Somebody who does not exchange files.
        ExchangeError
            There is no such file.
        """
        books, keeping = self._books.by(operator.login), self._exchange.keeping
        with kept_refusals(books, batch=batch_id), books.store.writing() as connection:
            self._exchange.check_right(operator)
            batch = keeping.get(connection, batch_id)
            file = keeping.file(connection, batch_id, role)
            data = keeping.content(connection, file)
            detail: dict[str, str | int | list[str]] = {
                "batch": batch_id,
                "digest": file.digest,
                "role": role,
            }
            event = Event("exchange-look", detail=detail)
            books.journal.append(connection, books.store.now(), event)
        layout = catalogue.get(self._exchange.layouts, batch.layout)
        if role == REPLY:
            layout = reply_layout(self._exchange.layouts, layout) or layout
        return data.decode(layout.encoding).splitlines()


def _came(name: str) -> ExchangeError:
    return ExchangeError(
        f"{name} came from its partner and does not go back to it",
        hint="its answer, its success and failure files leave",
        zh=f"{name} 是对方发来的文件，不再发回",
    )


def _free(directory: Path, name: str) -> str:
    """The name, numbered when there is such a file."""
    every = (numbered(name, number) for number in count(1))
    return next(one for one in every if not os.path.lexists(directory / one))
