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

_LOST = _Fault(
    RegistryUnavailableError,
    "the connection to the registry {where} is lost",
    "see that the database server runs and the network is there, then go on: what was reported "
    "done is kept, what was begun is found again",
    "与登记库 {where} 的连接中断：请检查数据库服务器和网络后继续；已报告完成的都已保存，"
    "已开始的会自动接着做",
)
_UNREACHED = _Fault(
    RegistryUnavailableError,
    "the registry {where} does not answer",
    "see that the database server runs and the network is there, then start again",
    "登记库 {where} 没有应答：请检查数据库服务器是否运行、网络是否连通，然后重试",
)
_DENIED = _Fault(
    RegistryError,
    "no permission to use the registry {where}",
    "check user, password (PGPASSWORD, or the password file of libpq) and rights on the server; "
    "docs/database.md shows which are needed",
    "没有使用登记库 {where} 的权限：请检查用户、密码（PGPASSWORD 或密码文件）和服务器上的授权",
)
_ABSENT = _Fault(
    RegistryError,
    "the database of the registry {where} does not exist",
    "make it on the server first: createdb --encoding=UTF8 --locale=C --template=template0 NAME",
    "登记库 {where} 的数据库不存在：请先在服务器上建立（createdb）",
)
_CHANGED = _Fault(
    RegistryError,
    "the tables of the registry {where} are not those this program knows",
    "another version of cardkit changed them: end this program and start it again, or update it",
    "登记库 {where} 的表与本程序不符，可能已被其他版本升级：请重新启动或更新 cardkit",
)

POSTGRES_FAULTS: Mapping[str, _Fault] = {
    "08": _LOST,
    "28": _DENIED,
    "3D": _ABSENT,
    "42501": _DENIED,
    "42P01": _CHANGED,
    "42703": _CHANGED,
    "0A000": _CHANGED,  # a prepared question whose answer changed its shape
    "25P03": _LOST,  # this program said nothing for too long while others waited for it
    "25006": _Fault(
        RegistryError,
        "the registry {where} cannot be written",
        "name the main server, not a copy of it, or let the server accept changes again",
        "登记库 {where} 不能写入：请连接主服务器而不是其副本，或取消服务器的只读设置",
    ),
    "40": _LOCKED,
    "55P03": _LOCKED,
    "53100": _Fault(
        RegistryUnavailableError,
        "no room left for the registry {where}",
        "free space on the disk of the database server, then start again: nothing is lost",
        "登记库 {where} 所在服务器磁盘已满：请腾出空间后再运行，数据没有丢失",
    ),
    "53200": _Fault(
        RegistryUnavailableError,
        "the server of the registry {where} has no memory left",
        "see what else runs on it, then start again: nothing is lost",
        "登记库 {where} 的服务器内存不足：请检查其上的其他程序后再运行，数据没有丢失",
    ),
    "53300": _Fault(
        RegistryUnavailableError,
        "the server of the registry {where} has no connection left",
        "close windows that are not needed, or raise max_connections on the server",
        "登记库 {where} 的服务器连接已用完：请关闭不用的窗口，或调高服务器的 max_connections",
    ),
    "57P": _LOST,
    "58": _Fault(
        RegistryUnavailableError,
        "the disk failed under the registry {where}",
        "see to the disk of the database server, then start again",
        "登记库 {where} 的服务器磁盘出错：请检查服务器磁盘后再运行",
    ),
    "XX": _Fault(
        RegistryError,
        "the registry {where} is damaged",
        "stop, keep a copy of the server's data, and go back to the last backup",
        "登记库 {where} 已损坏：请停止使用，保留服务器数据，并恢复最近的备份",
    ),
}
"""By SQLSTATE or the longest beginning of it."""

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
    if original is not None and type(original).__module__.startswith("psycopg"):
        return _postgres_fault(original)
    return _OTHER


def _postgres_fault(error: BaseException) -> _Fault:
    state: str = getattr(error, "sqlstate", "") or ""
    for length in (5, 3, 2):
        if (fault := POSTGRES_FAULTS.get(state[:length])) is not None:
            return fault
    if state or type(error).__name__ not in ("OperationalError", "ConnectionTimeout"):
        return _OTHER
    text = str(error)  # never shown; of a refused connection libpq gives nothing else
    if not text.startswith(("connection failed", "connection is bad")):
        return _UNREACHED if "timeout" in text else _LOST
    if any(word in text for word in _TOO_MANY):
        return POSTGRES_FAULTS["53300"]
    if any(word in text for word in _NOT_LET_IN):
        return _DENIED
    return _ABSENT if any(word in text for word in _NO_DATABASE) else _UNREACHED


_TOO_MANY = ("too many", "remaining connection slots", "太多", "过多", "连接槽")
_NOT_LET_IN = ("password", "authentication", "pg_hba", "role ", "permission denied", "认证", "口令")
_NO_DATABASE = ("does not exist", "不存在")


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
