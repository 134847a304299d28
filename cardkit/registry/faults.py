"""Errors of the database → one line for a person. Nothing of the data gets into it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from cardkit.registry.errors import RegistryError, RegistryUnavailableError


class _Fault(NamedTuple):
    kind: type[RegistryError]
    message: str
    hint: str
    zh: str


_LOCKED = _Fault(
    RegistryUnavailableError,
    "the registry {where} is locked by another program",
    "wait until the other program has finished, or end it, then start again",
    "登记库 {where} 正被其他程序占用：请等它结束，或结束它后再运行",
)

FAULTS: Mapping[str, _Fault] = {
    "SQLITE_READONLY": _Fault(
        RegistryError,
        "the registry {where} cannot be written",
        "give this user the right to write the file and its directory, or move it off a "
        "read-only medium",
        "登记库 {where} 不能写入：请给予文件及其文件夹的写权限，或把它移出只读介质",
    ),
    "SQLITE_FULL": _Fault(
        RegistryUnavailableError,
        "no room left for the registry {where}",
        "free space on that disk, then start again: nothing is lost",
        "登记库 {where} 所在磁盘已满：请腾出空间后再运行，数据没有丢失",
    ),
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_LOCKED": _LOCKED,
    "SQLITE_NOTADB": _Fault(
        RegistryError,
        "{where} is not a registry",
        "name the registry with --registry sqlite:///PATH; the file was left as it is",
        "{where} 不是登记库：请用 --registry 指明登记库；该文件未被改动",
    ),
    "SQLITE_CORRUPT": _Fault(
        RegistryError,
        "the registry {where} is damaged",
        "stop, keep a copy of the file, and go back to the last backup",
        "登记库 {where} 已损坏：请停止使用，保留此文件，并恢复最近的备份",
    ),
    "SQLITE_CANTOPEN": _Fault(
        RegistryError,
        "the registry {where} cannot be opened",
        "see that its directory exists and that this user may read and write there",
        "登记库 {where} 不能打开：请检查文件夹是否存在、当前用户能否读写",
    ),
    "SQLITE_PERM": _Fault(
        RegistryError,
        "no permission to use the registry {where}",
        "give this user the right to read and write the file and its directory",
        "没有使用登记库 {where} 的权限：请给予文件及其文件夹的读写权限",
    ),
    "SQLITE_IOERR": _Fault(
        RegistryUnavailableError,
        "the disk failed under the registry {where}",
        "see that the disk is there, has room and is healthy, then start again",
        "登记库 {where} 所在磁盘出错：请检查磁盘后再运行",
    ),
}
"""By the primary name of an SQLite result code."""

_CONSTRAINT = _Fault(
    RegistryError,
    "the registry {where} refused data that contradict it",
    "nothing was changed; please report this with what was being done",
    "登记库 {where} 拒绝了与其矛盾的数据：没有任何改动，请报告当时的操作",
)
_OTHER = _Fault(
    RegistryUnavailableError,
    "the registry {where} cannot be used now",
    "see that the database is running and that this user may use it",
    "登记库 {where} 现在不能使用：请检查数据库是否运行、当前用户有无权限",
)


def _fault_of(error: Exception) -> _Fault:
    original = error.orig if isinstance(error, DBAPIError) else error
    # every driver has a class of this name (PEP 249)
    if any(kind.__name__ == "IntegrityError" for kind in type(original).__mro__):
        return _CONSTRAINT
    if isinstance(original, sqlite3.Error):
        name: str = getattr(original, "sqlite_errorname", "") or ""
        primary = "_".join(name.split("_")[:2])
        return FAULTS.get(primary, _OTHER)
    return _OTHER


def translate(error: Exception, where: str) -> RegistryError:
    """The error a person sees for `error` of the registry called `where`."""
    fault = _fault_of(error)
    return fault.kind(
        fault.message.format(where=where), hint=fault.hint, zh=fault.zh.format(where=where)
    )


def errors_of(engine: Engine) -> tuple[type[Exception], ...]:
    """What SQLAlchemy and the driver below it raise."""
    dbapi = engine.dialect.loaded_dbapi
    return (SQLAlchemyError, dbapi.Error)


@contextmanager
def translated(engine: Engine, where: str) -> Iterator[None]:
    """Let no error of the database out: its text may quote data."""
    try:
        yield
    except errors_of(engine) as error:
        raise translate(error, where) from None
