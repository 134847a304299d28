"""The card keys of a whole batch in one sealed file, for a card factory.

Layout of version 1, numbers big-endian:

=========  =====================================================================================
8 bytes    ``CARDSEAL``
2          format version, 1
4          length of the header
n          header: canonical JSON in ASCII
...        chunks: AES-256-GCM of 4096 cards each (the last one may be shorter), tag of 16 bytes
=========  =====================================================================================

Header: ``salt``, ``made`` (instant), ``under`` (name, version, check value of the transport key),
``keys`` (name, version, check value, algorithm of every master key, in order), ``above`` (province
and city factor), ``count`` (cards) and ``chunk``. A card is its factor (8 bytes), then 16 bytes a
key, in the order of ``keys``.

    HKDF-SHA-256(transport key, salt, info = "cardkit sealed keys 1") = K (32)

The nonce of a chunk is its number (12 bytes); authenticated with it: SHA-256 of everything before
the first chunk. The header has the number of cards, so a missing chunk is noticed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cardkit import wholefile
from cardkit.crypto.diversify import FACTOR_LENGTH
from cardkit.errors import CardkitError, RefusedError, UsageError
from cardkit.keys import bulk, policy
from cardkit.keys.custody import Custody
from cardkit.keys.record import KeyRecord, Operation
from cardkit.keys.reference import Factors
from cardkit.keys.secret import Secret
from cardkit.keys.store import KeyPolicyError

MAGIC = b"CARDSEAL"
VERSION = 1
CHUNK = 4096
INFO = b"cardkit sealed keys 1"
_PREFIX = struct.Struct(">8sHI")
_KEY, _TAG = 16, 16
_LONGEST_HEADER = 1 << 20


class SealedFileError(RefusedError):
    """Not under this transport key, cut short, or changed."""


def write_sealed(
    custody: Custody,
    records: Sequence[KeyRecord],
    factors: Factors,
    under: KeyRecord,
    path: Path,
) -> None:
    """Derive every key for every card into a sealed file; role ``use``, one entry a key.

    The file appears complete or not at all; its mode is 0600.

    Raises
    ------
    KeyPolicyError
        A key may not be derived into a file, or not with such factors.
    UsageError
        The file exists or cannot be written.
    """
    custody.demand("use", "derive-file")
    _check(custody, records, factors, under)
    transport = custody.file.content.keys[under.place]
    header = _header(records, factors, under, custody.clock())
    if path.exists():  # nothing was tried, nothing is on record
        raise UsageError(f"{path} exists already", hint="choose another name")
    try:
        with wholefile.appearing(path, overwrite=False) as file:
            for record in records:
                custody.note(
                    "derive-file", str(record), count=factors.count, detail=f"under {under}"
                )
            _write(file, header, custody, records, factors, transport)
    except UsageError as error:
        custody.note("derive-file", "", result=f"failed: {error}", detail=f"under {under}")
        raise


def read_sealed(path: Path, transport: Secret) -> Iterator[tuple[bytes, list[bytes]]]:
    """The cards of a sealed file: factor and keys. For whoever has the transport key, and tests.

    Raises
    ------
    SealedFileError
    UsageError
    """
    with _opened(path) as file:
        before, header = _read_header(file, path)
        cipher, bound = _cipher(transport, header, before)
        width = FACTOR_LENGTH + _KEY * len(header["keys"])
        for number, first in enumerate(range(0, header["count"], header["chunk"])):
            cards = min(header["chunk"], header["count"] - first)
            sealed = file.read(cards * width + _TAG)
            try:
                plain = cipher.decrypt(number.to_bytes(12), sealed, bound)
            except (InvalidTag, ValueError):
                raise _not_ours(path) from None
            for at in range(0, len(plain), width):
                keys = plain[at + FACTOR_LENGTH : at + width]
                yield (
                    plain[at : at + FACTOR_LENGTH],
                    [keys[k : k + _KEY] for k in range(0, len(keys), _KEY)],
                )
        if file.read(1):
            raise _not_ours(path)


def describe_sealed(path: Path) -> dict[str, Any]:
    """The header of a sealed file, which is not secret (nor authenticated before it is read)."""
    with _opened(path) as file:
        return _read_header(file, path)[1]


def _check(
    custody: Custody, records: Sequence[KeyRecord], factors: Factors, under: KeyRecord
) -> None:
    now = custody.clock()
    try:
        policy.check_clock(now, custody.file.audit.latest_instant(fresh=True))
        policy.check(under, Operation.WRAP, None, now)
        if under.algorithm != "aes":
            raise KeyPolicyError(f"{under} is no AES key; keys travel under AES only")
        for record in records:
            policy.check(record, Operation.DERIVE, factors, now)
    except CardkitError as error:
        wanted = ", ".join(map(str, records))
        custody.note("derive-file", wanted, result=f"refused: {error.message}")
        raise


def _write(
    file: BinaryIO,
    header: dict[str, Any],
    custody: Custody,
    records: Sequence[KeyRecord],
    factors: Factors,
    transport: Secret,
) -> None:
    import numpy as np  # noqa: PLC0415

    raw = _canonical(header)
    before = _PREFIX.pack(MAGIC, VERSION, len(raw)) + raw
    file.write(before)
    cipher, bound = _cipher(transport, header, before)
    keys = custody.file.content.keys
    parents = [
        (r.algorithm, bulk.descend(r.algorithm, keys[r.place].reveal(), factors.above))
        for r in records
    ]
    step = CHUNK * FACTOR_LENGTH
    for number, first in enumerate(range(0, len(factors.cards), step)):
        cards = factors.cards[first : first + step]
        blocks = bulk.interleave(cards)
        columns = [np.frombuffer(cards, dtype=np.uint8).reshape(-1, FACTOR_LENGTH)]
        columns += [
            np.frombuffer(bulk.derive(algorithm, parent, blocks), dtype=np.uint8).reshape(-1, _KEY)
            for algorithm, parent in parents
        ]
        plain = np.concatenate(columns, axis=1).tobytes()
        file.write(cipher.encrypt(number.to_bytes(12), plain, bound))


def _header(
    records: Sequence[KeyRecord], factors: Factors, under: KeyRecord, now: dt.datetime
) -> dict[str, Any]:
    return {
        "salt": os.urandom(16).hex(),
        "made": now.astimezone(dt.UTC).isoformat(timespec="seconds"),
        "under": [under.name, under.version, str(under.check_value)],
        "keys": [[r.name, r.version, str(r.check_value), r.algorithm] for r in records],
        "above": [f.hex() for f in factors.above],
        "count": factors.count,
        "chunk": CHUNK,
    }


def _cipher(transport: Secret, header: dict[str, Any], before: bytes) -> tuple[AESGCM, bytes]:
    salt = bytes.fromhex(header["salt"])
    key = HKDF(algorithm=SHA256(), length=32, salt=salt, info=INFO).derive(transport.reveal())
    return AESGCM(key), hashlib.sha256(before).digest()


def _read_header(file: BinaryIO, path: Path) -> tuple[bytes, dict[str, Any]]:
    prefix = file.read(_PREFIX.size)
    try:
        magic, version, length = _PREFIX.unpack(prefix)
        if magic != MAGIC or version != VERSION or length > _LONGEST_HEADER:
            raise _not_ours(path)
        raw = file.read(length)
        header = json.loads(raw)
        sizes = (int(header["count"]), int(header["chunk"]), len(header["keys"]))
        if min(sizes) < 1 or not bytes.fromhex(header["salt"]):
            raise _not_ours(path)
    except (struct.error, ValueError, KeyError, TypeError, RecursionError):
        raise _not_ours(path) from None
    return prefix + raw, header


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None


def _not_ours(path: Path) -> SealedFileError:
    return SealedFileError(
        f"{path.name} is no sealed file under this transport key, or is not whole",
        hint="get it again from where it was made",
    )


def _canonical(content: dict[str, Any]) -> bytes:
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return text.encode("ascii")
