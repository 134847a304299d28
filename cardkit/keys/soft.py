"""A key store in this process that reads files of TEST keys.

The file is TOML; ``docs/keys-test.md`` describes it. Its check values are compared when it is read.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cardkit.card.key_request import External, Internal, KeyUse, Seal, Sealing, WriteKey
from cardkit.crypto import des, ssc
from cardkit.crypto.check_value import check_value_3des
from cardkit.crypto.diversify import diversify, diversify_many
from cardkit.crypto.mac import cbc_mac, retail_mac
from cardkit.crypto.padding import method2, method2_if_needed
from cardkit.errors import UsageError
from cardkit.keys.reference import CheckValue, Factors, KeyRef
from cardkit.keys.store import KeyMissingError, KeyPolicyError

FORMAT = "cardkit test keys 1"
_KEY_LENGTH = 16


class SoftKeyStore:
    """Master keys in memory.

    Parameters
    ----------
    keys : mapping
        (name, version) → 16 bytes.
    test : bool
        Marks every reference as a test key.
    plain_loading : frozenset of str
        Last parts of the names of keys that may leave in clear for chips that load them so
        (``{"MK"}`` for a chip whose first key cannot be sealed under another).
    """

    def __init__(
        self,
        keys: Mapping[tuple[str, int], bytes],
        *,
        test: bool,
        plain_loading: frozenset[str] = frozenset(),
    ) -> None:
        if any(len(key) != _KEY_LENGTH for key in keys.values()):
            raise ValueError("a 3DES key has 16 bytes")
        self._keys = dict(keys)
        self._test = test
        self._plain_loading = plain_loading
        self._city: dict[tuple[str, int, tuple[bytes, ...]], bytes] = {}

    @classmethod
    def from_file(cls, path: Path, *, plain_loading: frozenset[str] = frozenset()) -> SoftKeyStore:
        """Read a file of test keys.

        Raises
        ------
        UsageError
            Unreadable, another format, or a check value that does not fit its key.
        """
        content = _parse(path)
        keys: dict[tuple[str, int], bytes] = {}
        for name, entry in content["keys"].items():
            value = _key_bytes(path, name, entry)
            keys[name, int(entry.get("version", 1))] = value
        return cls(keys, test=True, plain_loading=plain_loading)

    def __repr__(self) -> str:
        return f"SoftKeyStore({len(self._keys)} keys)"

    def names(self) -> list[str]:
        """Names of the keys it holds."""
        return sorted({name for name, _ in self._keys})

    def reference(self, name: str, version: int | None = None) -> KeyRef:
        """See `KeyStore`."""
        versions = [v for n, v in self._keys if n == name]
        chosen = version if version is not None else max(versions, default=0)
        if chosen not in versions:
            raise KeyMissingError(
                f"no key {name}" + (f" of version {version}" if version is not None else ""),
                hint="check the key files of the profile",
            )
        value = CheckValue(check_value_3des(self._keys[name, chosen]))
        return KeyRef(name, chosen, value, self._test)

    def derive_many(self, ref: KeyRef, factors: Factors) -> SoftKeyBatch:
        """See `KeyStore`."""
        parent = self._above(ref, factors.above)
        derived = diversify_many(parent, factors.cards) if factors.cards else parent
        plain = ref.name.rpartition(".")[2] in self._plain_loading
        return SoftKeyBatch(ref, derived, plain_loading=plain)

    def _above(self, ref: KeyRef, above: tuple[bytes, ...]) -> bytes:
        # The city key is the same for every card of a window: derived once.
        place = (ref.name, ref.version, above)
        if place not in self._city:
            self._city[place] = diversify(self._keys[ref.name, ref.version], *above)
        return self._city[place]


class SoftKeyBatch:
    """Card keys in memory; implements `cardkit.keys.store.KeyBatch`."""

    def __init__(self, ref: KeyRef, keys: bytes, *, plain_loading: bool = False) -> None:
        self.ref = ref
        self._keys = keys
        self._plain_loading = plain_loading

    def __repr__(self) -> str:
        return f"SoftKeyBatch({self.ref}, {len(self)} keys)"

    def __len__(self) -> int:
        return len(self._keys) // _KEY_LENGTH

    def _key(self, index: int) -> bytes:
        return self._keys[index * _KEY_LENGTH : (index + 1) * _KEY_LENGTH]

    def external(self, index: int, request: External) -> bytes:
        """See `CardKeys`."""
        if request.key_use is KeyUse.DIRECT:
            return des.encrypt_ecb(self._key(index), request.data)
        return ssc.authentication_data(self._key(index), request.challenge, request.data)

    def internal(self, index: int, request: Internal) -> bytes:
        """See `CardKeys`."""
        return ssc.authentication_data(self._key(index), request.factor, request.data)

    def seal(self, index: int, request: Seal) -> bytes:
        """See `CardKeys`."""
        return seal(self._key(index), request.header, request.data, request.iv, request.sealing)

    def write_key(self, index: int, request: WriteKey, under: SoftKeyBatch | None) -> bytes:
        """See `CardKeys`."""
        plain = request.key_header + self._key(index)
        if under is not None:
            return under.seal(index, Seal("", request.header, plain, request.iv, request.sealing))
        if not self._plain_loading:
            raise KeyPolicyError(
                f"{self.ref.name} may not leave the store in clear",
                hint="only a chip that loads keys plain needs this; see plain_key_loading",
            )
        return plain


def seal(key: bytes, header: bytes, data: bytes, iv: bytes, sealing: Sealing) -> bytes:
    """Encrypt and MAC a data field by the switches of `Sealing`.

    Parameters
    ----------
    key : bytes
        16 bytes.
    header : bytes
        Covered by the MAC before the data.
    iv : bytes
        8 bytes: the card's challenge; with a process key it is the factor too.
    """
    process = sealing.key_use is KeyUse.PROCESS
    used = ssc.process_key(key, iv) if process else key
    if sealing.encrypt:
        pad = method2 if sealing.always_pad else method2_if_needed
        data = des.encrypt_ecb(used, pad(data))
    if not sealing.mac_length:
        return data
    mac = (cbc_mac if process else retail_mac)(used, method2(header + data), iv)
    return data + mac[: sealing.mac_length]


def _parse(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"{path}: {error.strerror}", hint="check the profile's keys.store"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise UsageError(f"{path}: not a TOML file") from None
    if content.get("format") != FORMAT or not isinstance(content.get("keys"), dict):
        raise UsageError(f"{path}: not a file of test keys", hint=f'format = "{FORMAT}" wanted')
    return content


def _key_bytes(path: Path, name: str, entry: Mapping[str, Any]) -> bytes:
    try:
        value = bytes.fromhex(entry["value"])
        wanted = bytes.fromhex(entry["check_value"])
    except (KeyError, TypeError, ValueError):
        raise UsageError(f"{path}: key {name} needs value and check_value in hex") from None
    if len(value) != _KEY_LENGTH or check_value_3des(value, len(wanted)) != wanted:
        raise UsageError(
            f"{path}: check value of key {name} does not fit",
            hint="the key was copied wrongly; take it from the original again",
        )
    return value
