"""References, requests and errors as JSON, for `cardkit.keys.remote_frames`; pure.

There is no pickle between the processes: what comes in is data and becomes nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from cardkit.card.key_request import (
    External,
    Internal,
    KeyRequest,
    KeyUse,
    Seal,
    Sealing,
    WriteKey,
)
from cardkit.errors import CardkitError, RefusedError, UnreachableError, UsageError
from cardkit.keys.reference import CheckValue, KeyRef
from cardkit.keys.store import KeyMissingError, KeyPolicyError


class KeyServiceError(UnreachableError):
    """The process that holds the keys cannot be reached, or has gone."""

    zh = "密钥服务或密码设备无法访问：请检查后重试"


class KeysLostError(KeyServiceError):
    """It went away while it was asked; another attempt may reach it again."""


class KeyTimeoutError(KeyServiceError):
    """It did not answer in time."""


_ERRORS: Final[tuple[type[CardkitError], ...]] = (
    KeyMissingError,
    KeyPolicyError,
    KeysLostError,
    KeyTimeoutError,
    KeyServiceError,
    UsageError,
    UnreachableError,
    RefusedError,
)
"""The more special ones first."""

_REQUESTS: Final[dict[str, type[KeyRequest]]] = {
    "external": External,
    "internal": Internal,
    "seal": Seal,
    "write_key": WriteKey,
}
_WORDS: Final = {kind: word for word, kind in _REQUESTS.items()}
_TEXTS: Final = frozenset({"key", "under"})


# --- references -----------------------------------------------------------------------------------


def ref_to_json(ref: KeyRef) -> dict[str, Any]:
    """The fields of a reference."""
    return {
        "name": ref.name,
        "version": ref.version,
        "check_value": ref.check_value.hex(),
        "test": ref.test,
        "algorithm": ref.algorithm,
    }


def ref_from_json(values: Mapping[str, Any]) -> KeyRef:
    """Inverse of `ref_to_json`."""
    return KeyRef(
        str(values["name"]),
        int(values["version"]),
        CheckValue(bytes.fromhex(values["check_value"])),
        bool(values["test"]),
        str(values["algorithm"]),
    )


# --- requests -------------------------------------------------------------------------------------


def request_to_json(request: KeyRequest) -> dict[str, Any]:
    """Any of the four requests.

    Examples
    --------
    >>> request_to_json(Internal("SSSE.IRK", bytes(8), b"12345678"))
    {'ask': 'internal', 'key': 'SSSE.IRK', 'factor': '0000000000000000', 'data': '3132333435363738'}
    """
    values = {item.name: _plain(getattr(request, item.name)) for item in fields(request)}
    return {"ask": _WORDS[type(request)]} | values


def request_from_json(values: Mapping[str, Any]) -> KeyRequest:
    """Inverse of `request_to_json`.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError
        Not a request.
    """
    kind = _REQUESTS[values["ask"]]
    given = {item.name: _value(item.name, values[item.name]) for item in fields(kind)}
    return kind(**given)


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, KeyUse):
        return value.value
    if isinstance(value, Sealing):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    return value


def _value(name: str, given: Any) -> Any:  # noqa: ANN401 - the fields have all types
    if name == "sealing":
        return Sealing(
            encrypt=bool(given["encrypt"]),
            key_use=KeyUse(given["key_use"]),
            always_pad=bool(given["always_pad"]),
            mac_length=int(given["mac_length"]),
            fold=bool(given["fold"]),
        )
    if name == "key_use":
        return KeyUse(given)
    if name in _TEXTS:
        return None if given is None else str(given)
    return bytes.fromhex(given)


# --- errors ---------------------------------------------------------------------------------------


def error_to_json(error: CardkitError) -> dict[str, Any]:
    """What a person may read of an error, and its kind."""
    kind = next((k for k in _ERRORS if isinstance(error, k)), None)
    name = kind.__name__ if kind else "KeyServiceError"
    return {"kind": name, "message": error.message, "hint": error.hint, "zh": error.zh}


def error_from_json(values: Mapping[str, Any]) -> CardkitError:
    """Inverse of `error_to_json`; kinds that are not known are faults of the service.

    Examples
    --------
    >>> error = error_from_json(error_to_json(KeyMissingError("no key A", hint="look")))
    >>> type(error).__name__, error.line()
    ('KeyMissingError', 'no key A; look')
    """
    kinds = {kind.__name__: kind for kind in _ERRORS}
    kind = kinds.get(str(values.get("kind")), KeyServiceError)
    text = {name: str(values.get(name, "")) for name in ("message", "hint", "zh")}
    return kind(text["message"], hint=text["hint"], zh=text["zh"])
