"""Master keys on their way between stores: TR-31 key blocks, envelopes under a KEK, into a token.

A TR-31 block (version D, AES) carries a 3DES key; TR-31 has no code for SM4. An envelope carries
any key with its record: a JSON object with ``format``, ``record``, ``under`` (name, version and
check value of the KEK), ``salt``, ``nonce`` and ``key``, where

    HKDF-SHA-256(KEK, salt, info = "cardkit key envelope 1") = K (32)
    key = AES-256-GCM(K, nonce, key), everything but ``key`` authenticated as canonical JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cardkit.crypto import tr31
from cardkit.errors import CardkitError, RefusedError, UsageError
from cardkit.keys import policy
from cardkit.keys.custody import Custody, Wish
from cardkit.keys.record import KeyRecord, KeyState, Operation
from cardkit.keys.reference import CheckValue
from cardkit.keys.secret import Secret
from cardkit.keys.store import KeyPolicyError

ENVELOPE = "cardkit key envelope 1"
HAND_OVER = "hand-over"
IMPORT = "import"
_TR31_USAGE = "E6"  # chip card issuer master key, other than those listed in X9.143
_TR31_ALGORITHMS = {"3des": "T"}
_STAYS = "N"  # exportability


class EnvelopeError(RefusedError):
    """Not for this KEK, or changed on the way."""


def export_tr31(custody: Custody, record: KeyRecord, under: KeyRecord) -> str:
    """Key block of a 3DES key under an AES transport key; role ``import``, on record.

    Raises
    ------
    KeyPolicyError
        The record does not allow its export, or the other key is no transport key.
    UsageError
        TR-31 does not know the algorithm.
    """
    key, kek = _pair(custody, record, under, "export-tr31")
    try:
        algorithm = _TR31_ALGORITHMS[record.algorithm]
    except KeyError:
        raise UsageError(
            f"TR-31 has no code for {record.algorithm}",
            hint="export an envelope: --format envelope",
        ) from None
    header = tr31.Header("D", _TR31_USAGE, algorithm, "X", f"{record.version:02}", "E")
    block = tr31.wrap(kek.reveal(), header, key.reveal())
    _noted(custody, "export-tr31", record, under)
    return block


def export_envelope(custody: Custody, record: KeyRecord, under: KeyRecord) -> str:
    """Envelope of any key under an AES transport key; role ``import``, on record."""
    key, kek = _pair(custody, record, under, "export-envelope")
    content: dict[str, Any] = {
        "format": ENVELOPE,
        "record": record.to_json(),
        "under": [under.name, under.version, str(under.check_value)],
        "salt": os.urandom(16).hex(),
        "nonce": os.urandom(12).hex(),
    }
    cipher = AESGCM(_envelope_key(kek, content))
    sealed = cipher.encrypt(bytes.fromhex(content["nonce"]), key.reveal(), _canonical(content))
    _noted(custody, "export-envelope", record, under)
    return json.dumps({**content, "key": sealed.hex()}, ensure_ascii=True, indent=1) + "\n"


def import_tr31(
    custody: Custody, block: str, wish: Wish, expected: CheckValue, under: KeyRecord
) -> KeyRecord:
    """Bring in the key of a block; its check value comes by another road.

    Raises
    ------
    EnvelopeError, CheckValueError
    KeyPolicyError
        The block says that its key is not exported, and the wish that it may be.
    """
    with _opening(custody, under, wish.name) as kek:
        try:
            header, key = tr31.unwrap(kek.reveal(), block.strip())
        except tr31.KeyBlockError:
            raise EnvelopeError(
                f"the key block is not under {under}, or was changed",
                hint="check the transport key",
            ) from None
        if header.exportability == _STAYS and Operation.EXPORT in (wish.usage or ()):
            raise KeyPolicyError(
                f"the key block of {wish.name} says that the key is not exported again",
                hint="import it without the usage export",
            )
    (record,) = custody.import_keys({wish: Secret(key)}, {wish: expected}, f"TR-31 under {under}")
    return record


def import_envelope(custody: Custody, text: str, under: KeyRecord) -> KeyRecord:
    """Bring in the key of an envelope with what its record says; it waits for approval here.

    Raises
    ------
    EnvelopeError
        Another KEK, or the envelope was changed.
    RefusedError
        A test key for a store of real keys, or the other way round.
    """
    with _opening(custody, under, "envelope") as kek:
        record, key = _unsealed(text, kek, under)
        if record.test is not custody.file.test:
            raise RefusedError(f"{record} and this store are not both for tests, or both not")
    wish = Wish(
        record.name, record.version, record.algorithm, record.usage, record.levels, record.owner,
        record.valid_from, record.valid_until,
    )  # fmt: skip
    check_value = record.check_value
    (made,) = custody.import_keys({wish: key}, {wish: check_value}, f"envelope under {under}")
    return made


def _unsealed(text: str, kek: Secret, under: KeyRecord) -> tuple[KeyRecord, Secret]:
    """What is in an envelope."""
    try:
        content = json.loads(text)
        sealed = bytes.fromhex(content.pop("key"))
        cipher = AESGCM(_envelope_key(kek, content))
        key = Secret(cipher.decrypt(bytes.fromhex(content["nonce"]), sealed, _canonical(content)))
        return KeyRecord.from_json(content["record"]), key
    except (ValueError, KeyError, TypeError, AttributeError, InvalidTag, RecursionError):
        raise EnvelopeError(
            f"the envelope is not under {under}, or was changed", hint="check the transport key"
        ) from None


@contextmanager
def handing_over(custody: Custody, name: str, to: str) -> Iterator[tuple[KeyRecord, Secret]]:
    """An active key for a token that the block loads with it; role ``import``, on record here.

    What the token records is not enough: whoever brings one along gave out its roles. The entry is
    on the disk before the key leaves; where the block fails, another one says so.

    Parameters
    ----------
    to : str
        What takes it, for the log.

    Raises
    ------
    RoleError
    KeyPolicyError
        The key is not active.
    """
    record = custody.record(name)
    custody.demand("import", HAND_OVER, str(record))
    if record.state is not KeyState.ACTIVE:
        error = KeyPolicyError(
            f"{record} is {record.state}", hint="only active keys go into a token"
        )
        custody.note(HAND_OVER, str(record), result=f"refused: {error.message}")
        raise error
    custody.note(HAND_OVER, str(record), count=1, detail=f"to {to}")
    try:
        yield record, custody.file.content.keys[record.place]
    except CardkitError as error:
        custody.note(HAND_OVER, str(record), result=f"failed: {error.message}", detail=f"to {to}")
        raise


@contextmanager
def _opening(custody: Custody, under: KeyRecord, what: str) -> Iterator[Secret]:
    """A transport key, to open what came under it; role ``import``. A refusal is on record."""
    custody.demand("import", IMPORT, what)
    try:
        policy.check_clock(custody.clock(), custody.file.audit.latest_instant(fresh=True))
        yield _kek(custody, under)
    except RefusedError as error:
        custody.note(IMPORT, what, result=f"refused: {error.message}", detail=f"under {under}")
        raise


def _pair(
    custody: Custody, record: KeyRecord, under: KeyRecord, action: str
) -> tuple[Secret, Secret]:
    custody.demand("import", action, str(record))
    try:
        policy.check_clock(custody.clock(), custody.file.audit.latest_instant(fresh=True))
        policy.check(record, Operation.EXPORT, None, custody.clock())
        kek = _kek(custody, under)
    except CardkitError as error:
        custody.note(action, str(record), result=f"refused: {error.message}")
        raise
    return custody.file.content.keys[record.place], kek


def _kek(custody: Custody, under: KeyRecord) -> Secret:
    policy.check(under, Operation.WRAP, None, custody.clock())
    if under.algorithm != "aes":
        raise KeyPolicyError(f"{under} is no AES key; keys travel under AES only")
    return custody.file.content.keys[under.place]


def _noted(custody: Custody, action: str, record: KeyRecord, under: KeyRecord) -> None:
    custody.note(action, str(record), count=1, detail=f"under {under}")


def _envelope_key(kek: Secret, content: dict[str, Any]) -> bytes:
    salt = bytes.fromhex(content["salt"])
    kdf = HKDF(algorithm=SHA256(), length=32, salt=salt, info=ENVELOPE.encode())
    return kdf.derive(kek.reveal())


def _canonical(content: dict[str, Any]) -> bytes:
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return text.encode("ascii")
