"""APPLICATION BLOCK (应用锁定), APPLICATION UNBLOCK and CARD BLOCK (卡片锁定).

Each wants the lock level of the current directory file (its second creation byte: the level of LK
or BK, EF for never) and a MAC under STK.
"""

from __future__ import annotations

from cardkit.virtual.card import status
from cardkit.virtual.card.context import Context
from cardkit.virtual.card.directory import Blocked, DirectoryType
from cardkit.virtual.card.messaging import MAC_LENGTH
from cardkit.virtual.card.status import require

_FOR_NOW, _FOR_EVER = 0x0000, 0x0001


def block_application(context: Context) -> bytes:
    """``841E 0000|0001 04 MAC``: for now, or for ever; 6400 when it is blocked that way already."""
    context.require_p1p2(_FOR_NOW, _FOR_EVER)
    here = context.directory
    require(here.parent is not None, status.CONDITIONS_NOT_SATISFIED)  # the MF is no application
    blocked = Blocked.FOR_EVER if context.request.p1p2 else Blocked.FOR_NOW
    _check_lock(context)
    require(blocked > here.blocked, status.NOTHING_CHANGED)
    context.memory.assign(here, "blocked", blocked, 1)
    return b""


def unblock_application(context: Context) -> bytes:
    """``8418 0000 04 MAC``; 6400 when it is not blocked."""
    context.require_p1p2(0)
    _check_lock(context)
    require(context.directory.blocked, status.NOTHING_CHANGED)
    context.memory.assign(context.directory, "blocked", Blocked.NO, 1)
    return b""


def block_card(context: Context) -> bytes:
    """``8416 0000 04 MAC`` in MF or DDF: 6A81 for every command ever after."""
    context.require_p1p2(0)
    require(context.directory.type == DirectoryType.DDF, status.CONDITIONS_NOT_SATISFIED)
    _check_lock(context)
    context.memory.assign(context.chip, "locked", value=True, size=1)
    return b""


def _check_lock(context: Context) -> None:
    context.require_length(MAC_LENGTH)
    allowed = context.directory.lock.satisfied(context.state)
    require(allowed, status.SECURITY_NOT_SATISFIED)
    context.unprotect(context.messaging_key())
