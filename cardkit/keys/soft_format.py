"""The encrypted file of a soft store: layout, key wrapping, and what is wrong with a bad one.

Layout of version 1, numbers big-endian:

====================  ========================================================================
8 bytes               ``CARDKEYS``
2                     format version, 1
4                     length of the header
n                     header: canonical JSON in ASCII
4                     length of the body
12 + m + 16           body: nonce, AES-256-GCM(file key, content), tag; everything before the body
                      is authenticated with it
32                    SHA-256 of everything before: tells damage from a wrong passphrase
====================  ========================================================================

Header: ``id`` (16 bytes), ``generation`` (counts the writes), ``test``, ``cost`` (Argon2id:
``memory_kib``, ``iterations``, ``lanes``), ``custodians`` (``name``, ``salt``) and ``pairs``: for
every two custodians ``of`` (their places), ``check``, ``nonce`` and ``key``. With the secrets
S = Argon2id(passphrase in NFC, salt, 32 bytes) of two custodians,

    HKDF-SHA-256(S1 ‖ S2, salt = id, info = "cardkit soft store 1") = KEK (32) ‖ check (16)

and ``key`` is AES-256-GCM(KEK, nonce, file key), with id, test, cost and custodians authenticated.
No passphrase can be tried alone: ``check`` belongs to a pair.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import struct
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cardkit.errors import RefusedError, UsageError
from cardkit.keys.secret import Secret

MAGIC = b"CARDKEYS"
VERSION = 1
INFO = b"cardkit soft store 1"
NONCE = 12
_PREFIX = struct.Struct(">8sHI")
_LENGTH = struct.Struct(">I")
_CHECKSUM = 32

Random = Callable[[int], bytes]


class StoreDamagedError(UsageError):
    """The file is cut short or damaged: its checksum does not fit."""


class StoreFormatError(UsageError):
    """Not a store, or of a later version."""


class PassphraseError(RefusedError):
    """The passphrases do not open the file."""


class StoreAlteredError(RefusedError):
    """The checksum fits, the authentication does not: somebody changed the file on purpose."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Work of Argon2id for one passphrase (RFC 9106 section 4, second choice)."""

    memory_kib: int = 65536
    iterations: int = 3
    lanes: int = 4

    def __post_init__(self) -> None:
        # A file that somebody made up must not eat the machine.
        small = 8 * self.lanes <= self.memory_kib <= 1 << 21
        if not (small and 1 <= self.iterations <= 64 and 1 <= self.lanes <= 64):
            raise ValueError("cost out of range")


@dataclass(frozen=True, slots=True)
class Custodian:
    """Who holds a passphrase; the salt is public."""

    name: str
    salt: bytes


@dataclass(frozen=True, slots=True)
class Pair:
    """The file key under the secrets of two custodians."""

    of: tuple[int, int]
    check: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Header:
    """What stands in clear at the beginning of the file."""

    id: bytes
    generation: int
    test: bool
    cost: Cost
    custodians: tuple[Custodian, ...]
    pairs: tuple[Pair, ...]

    @property
    def lock(self) -> str:
        """What changes with custodians and passphrases, and with the file key; hexadecimal."""
        parts = b"".join(p.check + p.nonce + p.key for p in self.pairs)
        return hashlib.sha256(parts).hexdigest()

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        pairs = [
            {"of": list(p.of), "check": p.check.hex(), "nonce": p.nonce.hex(), "key": p.key.hex()}
            for p in self.pairs
        ]
        return _json({**_bound(self), "generation": self.generation, "pairs": pairs})

    @classmethod
    def from_bytes(cls, raw: bytes) -> Header:
        """Inverse of `to_bytes`; ValueError, KeyError or TypeError for anything else."""
        content: dict[str, Any] = json.loads(raw)
        pairs = tuple(
            Pair(
                (int(p["of"][0]), int(p["of"][1])),
                *(bytes.fromhex(p[name]) for name in ("check", "nonce", "key")),
            )
            for p in content["pairs"]
        )
        custodians = tuple(
            Custodian(str(c["name"]), bytes.fromhex(c["salt"])) for c in content["custodians"]
        )
        cost = Cost(**content["cost"])
        header = cls(
            bytes.fromhex(content["id"]), int(content["generation"]), bool(content["test"]),
            cost, custodians, pairs,
        )  # fmt: skip
        if header.to_bytes() != raw:
            raise ValueError("the header is not canonical")
        return header


@dataclass(frozen=True, slots=True)
class Sealed:
    """A file that is whole; its content is still encrypted."""

    header: Header
    before: bytes = field(repr=False)
    body: bytes = field(repr=False)


def seal(header: Header, file_key: Secret, content: bytes, random: Random) -> bytes:
    """The bytes of a file."""
    raw = header.to_bytes()
    length = NONCE + len(content) + 16
    before = _PREFIX.pack(MAGIC, VERSION, len(raw)) + raw + _LENGTH.pack(length)
    nonce = random(NONCE)
    body = nonce + AESGCM(file_key.reveal()).encrypt(nonce, content, before)
    return before + body + hashlib.sha256(before + body).digest()


def parse(data: bytes, name: str) -> Sealed:
    """Take a file apart.

    Parameters
    ----------
    name : str
        Of the file, for messages.

    Raises
    ------
    StoreDamagedError
        Cut short, or damaged by accident.
    StoreFormatError
        No store at all, or of a later version.
    """
    head = data[: len(MAGIC)]
    if head != MAGIC and not MAGIC.startswith(head):
        raise StoreFormatError(f"{name} is no key store", hint="`cardkit key init` makes one")
    if len(data) >= _PREFIX.size and _PREFIX.unpack_from(data)[1] != VERSION:
        raise StoreFormatError(
            f"{name} is a key store of another format version", hint="use a newer cardkit"
        )
    whole, checksum = data[:-_CHECKSUM], data[-_CHECKSUM:]
    if len(data) < _PREFIX.size + _CHECKSUM or hashlib.sha256(whole).digest() != checksum:
        raise StoreDamagedError(
            f"{name} is cut short or damaged ({len(data)} bytes are left)",
            hint="restore it from a backup, together with its .counter file",
        )
    try:
        end = _PREFIX.size + _PREFIX.unpack_from(whole)[2]
        header = Header.from_bytes(whole[_PREFIX.size : end])
        (length,) = _LENGTH.unpack_from(whole, end)
    except (ValueError, KeyError, TypeError, IndexError, struct.error, RecursionError):
        raise _altered(name) from None
    body = whole[end + _LENGTH.size :]
    if len(body) != length:
        raise _altered(name)
    return Sealed(header, whole[: end + _LENGTH.size], body)


def unseal(sealed: Sealed, file_key: Secret, name: str) -> bytes:
    """The content.

    Raises
    ------
    StoreAlteredError
        The file key is not this file's, or the file was changed.
    """
    nonce, body = sealed.body[:NONCE], sealed.body[NONCE:]
    try:
        return AESGCM(file_key.reveal()).decrypt(nonce, body, sealed.before)
    except (InvalidTag, ValueError):
        raise _altered(name) from None


def stretch(passphrase: str, salt: bytes, cost: Cost) -> Secret:
    """S of a passphrase; half a second of work and the memory of ``cost``."""
    kdf = Argon2id(
        salt=salt, length=32, iterations=cost.iterations, lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    )  # fmt: skip
    return Secret(kdf.derive(unicodedata.normalize("NFC", passphrase).encode("utf-8")))


def wrap_pairs(header: Header, secrets: Sequence[Secret], file_key: Secret, random: Random) -> (
    tuple[Pair, ...]
):  # fmt: skip
    """The file key under every two custodians; ``secrets`` in their order."""
    pairs = []
    for one, other in itertools.combinations(range(len(secrets)), 2):
        kek, check = _pair_keys(header.id, secrets[one], secrets[other])
        nonce = random(NONCE)
        key = AESGCM(kek).encrypt(nonce, file_key.reveal(), _json(_bound(header)))
        pairs.append(Pair((one, other), check, nonce, key))
    return tuple(pairs)


def unwrap(header: Header, places: tuple[int, int], secrets: tuple[Secret, Secret], name: str) -> (
    Secret
):  # fmt: skip
    """The file key, by the secrets of two custodians (lower place first).

    Raises
    ------
    PassphraseError
        One of the passphrases is wrong; which, cannot be told.
    StoreAlteredError
    """
    pair = next((p for p in header.pairs if p.of == places), None)
    if pair is None:
        raise _altered(name)
    kek, check = _pair_keys(header.id, *secrets)
    if not hmac.compare_digest(check, pair.check):
        raise PassphraseError(
            f"the two passphrases do not open {name}",
            hint="one of them is wrong, or they were given in the wrong order",
        )
    try:
        return Secret(AESGCM(kek).decrypt(pair.nonce, pair.key, _json(_bound(header))))
    except (InvalidTag, ValueError):
        raise _altered(name) from None


def _pair_keys(salt: bytes, one: Secret, other: Secret) -> tuple[bytes, bytes]:
    kdf = HKDF(algorithm=SHA256(), length=48, salt=salt, info=INFO)
    made = kdf.derive(one.reveal() + other.reveal())
    return made[:32], made[32:]


def _bound(header: Header) -> dict[str, Any]:
    """What the wrapped keys are bound to: all that stays the same from write to write."""
    cost = header.cost
    return {
        "id": header.id.hex(),
        "test": header.test,
        "cost": {
            "memory_kib": cost.memory_kib, "iterations": cost.iterations, "lanes": cost.lanes,
        },
        "custodians": [{"name": c.name, "salt": c.salt.hex()} for c in header.custodians],
    }  # fmt: skip


def _json(content: dict[str, Any]) -> bytes:
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return text.encode("ascii")


def _altered(name: str) -> StoreAlteredError:
    return StoreAlteredError(
        f"{name} was changed by somebody: its authentication does not fit",
        hint="do not use it; restore a backup and find out who could write it",
    )
