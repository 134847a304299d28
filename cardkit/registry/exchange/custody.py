"""Files leave: sealed to their receiver, named after the person who moves them, noted [D19]."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from sqlalchemy import Connection, select

from cardkit.errors import UsageError
from cardkit.registry.books import Books
from cardkit.registry.exchange import sealing
from cardkit.registry.exchange.errors import ExchangeRefusedError
from cardkit.registry.exchange.exchange import Exchange
from cardkit.registry.exchange.naming import sealed_name
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
            ``original`` of a file that goes out, ``reply`` of one that came.
        carrier : str
            Login of the person who moves it.
        plain : bool
            In clear.

        Returns
        -------
        Path
            The file, readable by this user only; complete or not there at all.

        Raises
        ------
        ExchangeRefusedError
            Nobody of that name works here; the partner has no key; clear is not allowed.
        UsageError
            The file cannot be written.
        """
        books, keeping = self._books.by(operator.login), self._exchange.keeping
        if plain and not self._plain_allowed:
            raise ExchangeRefusedError(
                "files do not leave in clear here",
                hint="seal it, or set plain_files in [exchange] of the profile",
                zh="本地规定文件不得以明文带出：请加密，或由配置 [exchange] 的 plain_files 许可",
            )
        with books.store.writing() as connection:
            batch = keeping.get(connection, batch_id)
            file = keeping.file(connection, batch_id, role)
            data = keeping.content(connection, file)
            self._check_carrier(connection, carrier)
            name = file.name
            if not plain:
                partner = self._exchange.partners.get(connection, batch.partner)
                data = _sealed(data, partner.name, partner.recipient)
                name = sealed_name(file.name, carrier)
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
        return write_private(directory / name, data)

    def keep_here(self, batch_id: int, role: str, directory: Path, *, operator: Operator) -> Path:
        """Write a file for the clerk of this house: what was done, or what was not and why.

        It stays here, so it is not sealed; it is in the history all the same.

        Raises
        ------
        ExchangeRefusedError
            The file is not one of these.
        """
        if role not in ("success", "failure"):
            raise ExchangeRefusedError(
                f"a file of role {role} leaves by a carrier only", hint="name the carrier"
            )
        books, keeping = self._books.by(operator.login), self._exchange.keeping
        with books.store.writing() as connection:
            file = keeping.file(connection, batch_id, role)
            data = keeping.content(connection, file)
            detail: dict[str, str | int | list[str]] = {
                "batch": batch_id,
                "digest": file.digest,
                "role": role,
            }
            event = Event("exchange-look", detail=detail)
            books.journal.append(connection, books.store.now(), event)
        return write_private(directory / file.name, data)

    def _check_carrier(self, connection: Connection, carrier: str) -> None:
        row = connection.execute(
            select(operators.c.locked_at).where(operators.c.login == carrier)
        ).first()
        if row is None or row[0]:
            raise ExchangeRefusedError(
                f"{carrier} has no account here that is in use: who moves files is known by name",
                hint="name the login of the person who carries the file",
                zh=f"{carrier} 没有有效的实名账户：请指明携带文件人员的登录名",
            )


def _sealed(data: bytes, partner: str, recipient: str) -> bytes:
    if not recipient:
        raise ExchangeRefusedError(
            f"{partner} has no public key, so nothing can be sealed to it",
            hint="`cardkit registry exchange partner` sets its key",
            zh=f"{partner} 没有公钥，文件无法加密：由管理员设定",
        )
    return sealing.seal(data, recipient)


def write_private(path: Path, data: bytes) -> Path:
    """Write a file only this user can read (0600); it appears complete or not at all.

    Raises
    ------
    UsageError
        It cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        handle = os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}",
            hint="name another directory; the batch is kept, the file can be written again",
            zh=f"不能写入 {path}：请指明其他文件夹；批次已保存，文件可重新写出",
        ) from None
    return path
