"""A key store in the memory of this process, and the reader of files of TEST keys.

The file is TOML; ``docs/keys-test.md`` describes it. Its check values are compared when it is read,
and those of every key again before every batch.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cardkit.crypto.check_value import check_value_3des, check_value_sm4
from cardkit.errors import RefusedError, UsageError
from cardkit.keys import bulk
from cardkit.keys.answers import KeyArray
from cardkit.keys.answers_sm4 import key_array
from cardkit.keys.gate import GATE
from cardkit.keys.reference import CheckValue, Factors, KeyRef
from cardkit.keys.secret import Secret, Unpicklable
from cardkit.keys.store import KeyMissingError

FORMAT = "cardkit test keys 1"
_KEY_LENGTH = 16
_SHOWN = 3  # bytes of a check value

CheckRule = Callable[[bytes, int], bytes]
_CHECK_VALUES: Mapping[str, CheckRule] = {"3des": check_value_3des, "sm4": check_value_sm4}


class CheckValueError(RefusedError):
    """A key is not the one that was meant."""


class SoftKeyStore(Unpicklable):
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
    algorithms : mapping, optional
        (name, version) → ``3des`` (default) or ``sm4``.
    """

    def __init__(
        self,
        keys: Mapping[tuple[str, int], bytes],
        *,
        test: bool,
        plain_loading: frozenset[str] = frozenset(),
        algorithms: Mapping[tuple[str, int], str] | None = None,
    ) -> None:
        if any(len(key) != _KEY_LENGTH for key in keys.values()):
            raise ValueError("a master key of cards has 16 bytes")
        self._keys = {place: Secret(key) for place, key in keys.items()}
        self._test = test
        self._plain_loading = plain_loading
        self._algorithms = dict(algorithms or {})
        self._check_values = {place: self._computed(place) for place in self._keys}
        self._city: dict[tuple[str, int, tuple[bytes, ...]], Secret] = {}
        self._blocks: tuple[bytes, bytes] = b"", b""

    @classmethod
    def from_file(cls, path: Path, *, plain_loading: frozenset[str] = frozenset()) -> SoftKeyStore:
        """Read a file of test keys.

        Raises
        ------
        UsageError
            Unreadable, another format, or a check value that does not fit its key.
        SelfTestFailedError
            An algorithm does not compute its known answers.
        """
        GATE.require()
        read = read_test_keys(path)
        keys = {place: key.value for place, key in read.items()}
        algorithms = {place: key.algorithm for place, key in read.items()}
        return cls(keys, test=True, plain_loading=plain_loading, algorithms=algorithms)

    def __repr__(self) -> str:
        return f"SoftKeyStore({len(self._keys)} keys)"

    def names(self) -> list[str]:
        """Names of the keys it holds."""
        return sorted({name for name, _ in self._keys})

    def close(self) -> None:
        """Overwrite the keys; the store is empty afterwards."""
        for secret in (*self._keys.values(), *self._city.values()):
            secret.wipe()
        self._keys.clear()
        self._city.clear()

    def forget(self, name: str, version: int) -> None:
        """Overwrite one key; it was destroyed."""
        for place in [p for p in self._city if p[:2] == (name, version)]:
            self._city.pop(place).wipe()
        key = self._keys.pop((name, version), None)
        if key is not None:
            key.wipe()

    def reference(self, name: str, version: int | None = None) -> KeyRef:
        """See `KeyStore`."""
        versions = [v for n, v in self._keys if n == name]
        chosen = version if version is not None else max(versions, default=0)
        if chosen not in versions:
            raise KeyMissingError(
                f"no key {name}" + (f" of version {version}" if version is not None else ""),
                hint="check the key files of the profile",
            )
        place = name, chosen
        algorithm = self._algorithm(place)
        return KeyRef(name, chosen, self._check_values[place], self._test, algorithm)

    def derive_many(self, ref: KeyRef, factors: Factors) -> KeyArray:
        """See `KeyStore`; the check value of the key is computed again and compared.

        Raises
        ------
        CheckValueError
            The reference is of another key, or the key in memory is not what it was.
        """
        GATE.check()
        place = ref.name, ref.version
        if place not in self._keys:
            raise KeyMissingError(f"no key {ref.name} of version {ref.version}")
        if not self._computed(place) == self._check_values[place] == ref.check_value:
            raise CheckValueError(
                f"the check value of {ref} does not fit the key in the store",
                hint="it is another key of that name; nothing was derived",
            )
        parent: bytes | bytearray = self._above(ref, factors.above)
        if factors.cards:
            blocks = self._interleaved(factors.cards)
            parent = bulk.derive(self._algorithm(place), bytes(parent), blocks)
        plain = ref.name.rpartition(".")[2] in self._plain_loading
        return key_array(ref, parent, plain_loading=plain)

    def _algorithm(self, place: tuple[str, int]) -> str:
        return self._algorithms.get(place, "3des")

    def _computed(self, place: tuple[str, int]) -> CheckValue:
        key = self._keys[place].reveal()
        return CheckValue(bulk.check_value(self._algorithm(place), key))

    def _above(self, ref: KeyRef, above: tuple[bytes, ...]) -> bytes:
        # The city key is the same for every card of a window: derived once.
        place = (ref.name, ref.version, above)
        kept = self._city.get(place)
        if kept is None:
            key = self._keys[ref.name, ref.version].reveal()
            kept = Secret(bulk.descend(self._algorithm((ref.name, ref.version)), key, above))
            self._city[place] = kept
        return kept.reveal()

    def _interleaved(self, cards: bytes) -> bytes:
        # Fifty keys are derived for the same cards one after the other: one set of blocks.
        known, blocks = self._blocks
        if cards is not known:
            blocks = bulk.interleave(cards)
            self._blocks = cards, blocks
        return blocks


@dataclass(frozen=True, slots=True)
class TestKey:
    """A key of a file of test keys."""

    value: bytes = field(repr=False)
    check_value: CheckValue
    algorithm: str


def read_test_keys(path: Path) -> dict[tuple[str, int], TestKey]:
    """The keys of a file of test keys.

    Raises
    ------
    UsageError
        Unreadable, another format, or a check value that does not fit its key.
    """
    keys = {}
    for name, entry in _parse(path)["keys"].items():
        version = entry.get("version", 1) if isinstance(entry, dict) else None
        if type(version) is not int or version < 1:
            raise UsageError(
                f"{path}: key {name} is no table with a version of 1 and more",
                hint="docs/keys-test.md describes the file",
            )
        algorithm = str(entry.get("algorithm", "3des"))
        if algorithm not in _CHECK_VALUES:
            raise UsageError(
                f"{path}: key {name} is of {algorithm}", hint="card keys come from 3des or sm4"
            )
        value = _key_bytes(path, name, entry, _CHECK_VALUES[algorithm])
        check = CheckValue(_CHECK_VALUES[algorithm](value, _SHOWN))
        keys[name, version] = TestKey(value, check, algorithm)
    return keys


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


def _key_bytes(path: Path, name: str, entry: Mapping[str, Any], rule: CheckRule) -> bytes:
    try:
        value = bytes.fromhex(entry["value"])
        wanted = bytes.fromhex(entry["check_value"])
    except (KeyError, TypeError, ValueError):
        raise UsageError(f"{path}: key {name} needs value and check_value in hex") from None
    sized = len(value) == _KEY_LENGTH and 2 <= len(wanted) <= 8
    if not sized or rule(value, len(wanted)) != wanted:
        raise UsageError(
            f"{path}: check value of key {name} does not fit",
            hint="the key was copied wrongly; take it from the original again",
        )
    return value
