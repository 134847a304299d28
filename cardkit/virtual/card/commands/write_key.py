"""WRITE KEY (装载密钥) in its four forms, under the master key of the directory file.

| class | data                                             | Lc |
|-------|--------------------------------------------------|----|
| 00    | header ‖ key                                     | 18 |
| 80    | 3DES-ECB of 18 ‖ header ‖ key ‖ 80 00...         | 20 |
| 84    | the same ‖ MAC                                   | 24 |
| 04    | header ‖ key ‖ MAC                               | 1C |
"""

from __future__ import annotations

from cardkit.virtual.card import status
from cardkit.virtual.card.context import Context
from cardkit.virtual.card.files import KeyFile
from cardkit.virtual.card.keys import Key, KeyType
from cardkit.virtual.card.messaging import Channel, Derivation, decrypt_field
from cardkit.virtual.card.security import FREE, MASTER, NEVER
from cardkit.virtual.card.status import Refusal, require

_LENGTHS = {0x00: 0x18, 0x80: 0x20, 0x84: 0x24, 0x04: 0x1C}
_ENCRYPTED_WITH_MAC = 0x84


def write_key(context: Context) -> bytes:
    """``00|80|84|04 D4 P1 00 Lc``: P1 01 for the master key, 00 for any other."""
    request = context.request
    require(request.p1 <= 1 and request.p2 == 0, status.WRONG_P1P2)
    context.require_length(_LENGTHS[request.cla])
    directory = context.directory
    if not directory.pre_issue:
        require(request.cla == _ENCRYPTED_WITH_MAC, status.CONDITIONS_NOT_SATISFIED)
    if directory.keys is None:
        raise Refusal(status.FILE_NOT_FOUND)
    key = Key.parse(_key_record(context))
    require((key.type == KeyType.MASTER) == bool(request.p1), status.WRONG_DATA)
    _check_plain(context, key)
    _store(context, directory.keys, key)
    return b""


def _key_record(context: Context) -> bytes:
    """Header and key, after whatever protects them on the way."""
    request = context.request
    if request.cla == 0x00:
        return request.data
    master = context.directory.key(KeyType.MASTER)
    if master is None:
        raise Refusal(status.KEY_NOT_FOUND)
    if request.cla == 0x80:
        context.require_builder()
        return decrypt_field(master, request.data, form=context.chip.form)
    # Keys travel under the master key itself, never under a process key.
    channel = Channel(master, Derivation.DIRECT, context.chip.form)
    data = channel.open(request, context.session, context.memory)
    return channel.decrypt(data) if request.cla == _ENCRYPTED_WITH_MAC else data


def _check_plain(context: Context, key: Key) -> None:
    """A plain key: the first master key for whoever may build, others after the master key."""
    if context.request.cla:
        return
    first_master = key.type == KeyType.MASTER and not context.directory.key(KeyType.MASTER)
    if first_master:
        context.require_builder()
    else:
        require(context.state.master, status.SECURITY_NOT_SATISFIED)


def _store(context: Context, file: KeyFile, key: Key) -> None:
    old = file.find(key.type, key.id)
    if old is None:
        context.wear.check_write(file, len(file.keys) + 1)
        file.add(key, context.memory)
        return
    if not context.directory.pre_issue:
        # The MAC under the master key stands for the level FF.
        reached = {MASTER, FREE} | context.state.own
        require(old.change != NEVER and old.change in reached, status.SECURITY_NOT_SATISFIED)
    context.wear.check_write(file, file.keys.index(old) + 1)
    file.overwrite(old, key, context.memory)
