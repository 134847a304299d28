"""The one place that loads pyscard, keeps a PC/SC context per thread, and reads result codes."""

from __future__ import annotations

import os
import socket
import threading
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from cardkit.apdu.pcsc.errors import (
    CardBusyError,
    MuteCardError,
    NoCardError,
    NoPermissionError,
    NoServiceError,
    PcscError,
    ReaderGoneError,
)
from cardkit.apdu.pcsc.holders import find_holders

# Results, as PC/SC part 5 numbers them; the same on every system.
F_INTERNAL_ERROR: Final = 0x80100001
E_CANCELLED: Final = 0x80100002
E_INVALID_HANDLE: Final = 0x80100003
E_UNKNOWN_READER: Final = 0x80100009
E_TIMEOUT: Final = 0x8010000A
E_SHARING_VIOLATION: Final = 0x8010000B
E_NO_SMARTCARD: Final = 0x8010000C
E_PROTO_MISMATCH: Final = 0x8010000F
F_COMM_ERROR: Final = 0x80100013
E_NOT_TRANSACTED: Final = 0x80100016
E_READER_UNAVAILABLE: Final = 0x80100017
E_NO_SERVICE: Final = 0x8010001D
E_SERVICE_STOPPED: Final = 0x8010001E
E_NO_ACCESS: Final = 0x80100027
E_NO_READERS_AVAILABLE: Final = 0x8010002E
W_UNSUPPORTED_CARD: Final = 0x80100065
W_UNRESPONSIVE_CARD: Final = 0x80100066
W_UNPOWERED_CARD: Final = 0x80100067
W_RESET_CARD: Final = 0x80100068
W_REMOVED_CARD: Final = 0x80100069
W_SECURITY_VIOLATION: Final = 0x8010006A

# After these the context is of no use: the daemon was stopped or started again.
STALE: Final = frozenset(
    {E_INVALID_HANDLE, E_NO_SERVICE, E_SERVICE_STOPPED, F_COMM_ERROR, F_INTERNAL_ERROR}
)

SOCKET_VARIABLE: Final = "PCSCLITE_CSOCK_NAME"
DEFAULT_SOCKET: Final = "/run/pcscd/pcscd.comm"

SYSTEMD: Final = Path("/run/systemd/system")
"""Present where systemd runs the machine."""

VIRTUAL_READERS: Final = "without a real reader: sudo cardkit virtual readers --count 1"
_PERMISSION_HINT: Final = (
    "run cardkit doctor: it names the polkit rule or the permission this user lacks"
)

_local = threading.local()

# Readers this program is connected to, so that it does not blame another one.
OPEN_HERE: Counter[str] = Counter()


@cache
def scard() -> Any:  # noqa: ANN401 - pyscard has no types
    """The low-level module of pyscard, loaded when first wanted."""
    try:
        from smartcard import scard as module  # noqa: PLC0415 - late: costs time and needs PC/SC
    except ImportError as error:
        raise NoServiceError(
            f"PC/SC cannot be used: {error}",
            hint="install pyscard: make setup, or pip install pyscard",
            zh="读卡器服务（PC/SC）不可用：请安装 pyscard",
        ) from None
    return module


def context() -> int:
    """The PC/SC context of this thread, established when there is none.

    Raises
    ------
    NoServiceError, NoPermissionError
        There is no service for us.
    """
    # A context belongs to the process that made it: not to a child forked from it.
    if getattr(_local, "owner", None) == os.getpid():
        return int(_local.context)
    result, handle = scard().SCardEstablishContext(scard().SCARD_SCOPE_USER)
    check(result)
    _local.context, _local.owner = handle, os.getpid()
    return int(handle)


def drop_context() -> None:
    """Forget the context of this thread, so that the next call makes a new one."""
    if getattr(_local, "owner", None) == os.getpid():
        scard().SCardReleaseContext(_local.context)
    _local.owner = None


def call(
    operation: Callable[[int], tuple[Any, ...]],
    *,
    reader: str = "",
    accept: frozenset[int] = frozenset(),
) -> tuple[Any, ...]:
    """Call PC/SC with this thread's context, once more with a new one if the daemon was restarted.

    Parameters
    ----------
    operation : callable
        Gets the context, returns what pyscard returned: the result first.
    reader : str
        Reader concerned, for the words of an error.
    accept : frozenset of int
        Results that are no error here.

    Returns
    -------
    tuple
        What ``operation`` returned.
    """
    answer = operation(context())
    if unsigned(answer[0]) in STALE:
        drop_context()
        answer = operation(context())
    if unsigned(answer[0]) not in accept:
        check(answer[0], reader)
    return answer


def unsigned(result: int) -> int:
    """A PC/SC result as the standard writes it; pyscard gives it signed."""
    return result & 0xFFFFFFFF


def check(result: int, reader: str = "") -> None:
    """Do nothing for success, raise the error for everything else."""
    if result:
        raise explain(unsigned(result), reader)


def explain(code: int, reader: str = "") -> PcscError:
    """The error for a PC/SC result."""
    where = reader or "the reader"
    if code in {E_NO_SERVICE, E_SERVICE_STOPPED, E_INVALID_HANDLE}:
        return _no_service(code)
    if code in {W_SECURITY_VIOLATION, E_NO_ACCESS}:
        return NoPermissionError(
            "the PC/SC service refuses this user", hint=_PERMISSION_HINT, code=code
        )
    if code == E_SHARING_VIOLATION:
        return CardBusyError(where, find_holders(), ours=OPEN_HERE[reader] > 0, code=code)
    known = _KNOWN.get(code)
    if known is not None:
        kind, message, hint, zh = known
        words = {"reader": where}
        return kind(message.format(**words), hint=hint, code=code, zh=zh.format(**words))
    text = scard().SCardGetErrorMessage(code)
    return PcscError(
        f"{where}: {text} ({code:08X})",
        hint="take the card out, try again",
        code=code,
        zh=f"{where}：读卡器出错（{code:08X}）：请取出卡片后重试",
    )


# Result → kind of error, what happened, what to do, and both in Chinese.
_KNOWN: Final[dict[int, tuple[type[PcscError], str, str, str]]] = {
    E_NO_SMARTCARD: (
        NoCardError,
        "no card in {reader}",
        "put a card in, chip first",
        "{reader} 中没有卡片：请插入卡片，芯片一端朝里",
    ),
    W_REMOVED_CARD: (
        NoCardError,
        "the card was taken out of {reader}",
        "put the same card in again",
        "卡片已从 {reader} 取出：请放回同一张卡，会从中断处继续",
    ),
    E_READER_UNAVAILABLE: (
        ReaderGoneError,
        "{reader} is unplugged",
        "plug it in again",
        "读卡器 {reader} 已断开：请重新连接",
    ),
    E_UNKNOWN_READER: (
        ReaderGoneError,
        "{reader} is not there",
        "plug it in, or choose another",
        "没有读卡器 {reader}：请连接它，或另选一台",
    ),
    E_NO_READERS_AVAILABLE: (
        ReaderGoneError,
        "no reader is connected",
        "plug one in",
        "没有连接读卡器：请连接一台",
    ),
    W_UNRESPONSIVE_CARD: (
        MuteCardError,
        "the card in {reader} does not answer",
        "turn it round, clean its contacts, or try another card",
        "{reader} 中的卡片没有应答：请检查插入方向，清洁触点，或换一张卡",
    ),
    W_UNPOWERED_CARD: (
        MuteCardError,
        "the card in {reader} has no power",
        "take it out and put it in again",
        "{reader} 中的卡片没有上电：请取出后重新插入",
    ),
    W_UNSUPPORTED_CARD: (
        MuteCardError,
        "the card in {reader} gives an answer to reset this reader cannot use",
        "is it the right card? try another reader",
        "{reader} 不支持这张卡片：请确认卡片，或换一台读卡器",
    ),
    E_PROTO_MISMATCH: (
        MuteCardError,
        "{reader} and its card have no transmission protocol in common",
        "is it the right card? try another reader",
        "{reader} 与卡片没有共同的传输协议：请确认卡片，或换一台读卡器",
    ),
    W_RESET_CARD: (
        PcscError,
        "another program has reset the card in {reader}",
        "end the other program, then start again",
        "其他程序复位了 {reader} 中的卡片：请结束那个程序后重新开始",
    ),
    E_NOT_TRANSACTED: (
        PcscError,
        "the card in {reader} stopped answering",
        "put the same card in again",
        "{reader} 中的卡片停止应答：请放回同一张卡，会从中断处继续",
    ),
    F_COMM_ERROR: (
        NoServiceError,
        "the connection to the PC/SC service broke",
        "see that the service runs, then try again",
        "与读卡器服务（PC/SC）的连接中断：请确认服务运行后重试",
    ),
}


def socket_path() -> str:
    """Where the daemon of pcsc-lite is expected, as its client library decides it."""
    return os.environ.get(SOCKET_VARIABLE, DEFAULT_SOCKET)


def start_service(systemd: Path = SYSTEMD) -> str:
    """How the daemon is started on this machine, in words."""
    return f"start it: sudo {'systemctl start pcscd.socket' if systemd.is_dir() else 'pcscd'}"


def _no_service(code: int) -> PcscError:
    """The client library says "no service" for a missing permission too: look at the socket."""
    family = getattr(socket, "AF_UNIX", None)
    if family is not None:
        with socket.socket(family) as client:
            try:
                client.connect(socket_path())
            except PermissionError:
                return NoPermissionError(
                    f"this user may not use the PC/SC service at {socket_path()}",
                    hint=_PERMISSION_HINT,
                    code=code,
                )
            except OSError:
                pass
    hint = f"{start_service()}; {VIRTUAL_READERS}"
    return NoServiceError("the PC/SC service does not run", hint=hint, code=code)
