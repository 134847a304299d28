"""A session with a PKCS#11 token; the one place that imports ``pkcs11``.

Used by the process that owns the token only (`cardkit.keys.pkcs11_worker`): the package is not safe
to share between threads, and a session that was lost comes back with a new process.

Values of keys are never asked for: CKA_VALUE is in a template that makes a key, nowhere else.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.constants import DEFAULT
from pkcs11.exceptions import (
    AttributeTypeInvalid,
    AttributeValueInvalid,
    DataLenRange,
    FunctionNotSupported,
    FunctionRejected,
    KeySizeRange,
    KeyTypeInconsistent,
    KeyUnextractable,
    MechanismInvalid,
    MechanismParamInvalid,
    MultipleTokensReturned,
    NoSuchToken,
    PinExpired,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
    TemplateInconsistent,
    TokenNotPresent,
    TokenNotRecognised,
    TokenWriteProtected,
)

from cardkit.errors import RefusedError, UsageError
from cardkit.keys.remote_messages import KeyServiceError, KeysLostError
from cardkit.keys.store import KeyPolicyError

CHUNK: Final = 4096 * 16
"""Bytes of one encryption: 4,096 cards. More makes nothing faster."""

_ID: Final = "cardkit v{version}{test}"
_PIN_ERRORS: Final = (PinIncorrect, PinInvalid, PinLenRange, PinExpired, PinLocked)
_CANNOT: Final = (
    AttributeTypeInvalid,
    AttributeValueInvalid,
    DataLenRange,
    FunctionNotSupported,
    FunctionRejected,
    KeySizeRange,
    KeyTypeInconsistent,
    KeyUnextractable,
    MechanismInvalid,
    MechanismParamInvalid,
    TemplateInconsistent,
    TokenWriteProtected,
)
_KEY_TYPES: Final = {"3des": KeyType.DES2, "aes": KeyType.AES}
_ALGORITHMS: Final = {kind: name for name, kind in _KEY_TYPES.items()}

_GUARDED: Final[dict[Attribute, object]] = {
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.DECRYPT: False,
    Attribute.SIGN: False,
    Attribute.VERIFY: False,
    Attribute.UNWRAP: False,
}
_PERMANENT: Final[dict[Attribute, object]] = {
    **_GUARDED,
    Attribute.TOKEN: True,
    Attribute.MODIFIABLE: False,
    Attribute.COPYABLE: False,
}
_USES: Final[dict[str, dict[Attribute, object]]] = {
    "3des": {Attribute.ENCRYPT: True, Attribute.DERIVE: True, Attribute.WRAP: False},
    "aes": {Attribute.ENCRYPT: False, Attribute.DERIVE: False, Attribute.WRAP: True},
}


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key that this program put into a token; ``handle`` is the token's object."""

    name: str
    version: int
    algorithm: str
    test: bool
    handle: Any


class Token:
    """An open session.

    Parameters
    ----------
    module : str
        Path of the PKCS#11 library.
    label : str
        Label of the token.
    pin : str
        PIN of its user.

    Raises
    ------
    UsageError
        No such library.
    KeyServiceError
        No such token.
    RefusedError
        The token refuses the PIN.
    """

    def __init__(self, module: str, label: str, pin: str) -> None:
        self.label = label
        try:
            library = pkcs11.lib(module)
        except PKCS11Error as error:
            if type(error) is PKCS11Error:  # no code of a library: there is none
                raise UsageError(
                    f"{module} is no PKCS#11 library",
                    hint="the maker of the token names its library",
                ) from None
            raise KeyServiceError(
                f"the library of token {label} does not start ({type(error).__name__})",
                hint="is the token plugged in, or its service running?",
            ) from None
        try:
            self._token = library.get_token(token_label=label)
            self._session = self._token.open(rw=True, user_pin=pin)
        except MultipleTokensReturned:
            raise UsageError(f"there are several tokens with the label {label}") from None
        except (NoSuchToken, TokenNotPresent, TokenNotRecognised):
            raise KeyServiceError(
                f"token {label} is not there", hint="is it plugged in, or its service running?"
            ) from None
        except _PIN_ERRORS as error:
            raise RefusedError(
                f"token {label} refuses the PIN ({type(error).__name__})",
                hint="it is not tried again: a token locks after a few wrong PINs",
            ) from None
        except PKCS11Error as error:
            raise KeyServiceError(
                f"token {label} cannot be opened ({type(error).__name__})",
                hint="is it plugged in, or its service running?",
            ) from None

    # --- keys -------------------------------------------------------------------------------------

    def own_keys(self) -> Iterator[TokenKey]:
        """Every key that this program made here; others are left alone."""
        with self._faults("list its keys"):
            for handle in self._session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY}):
                key = _known(handle)
                if key is not None:
                    yield key

    def attributes(self, key: TokenKey) -> dict[str, bool]:
        """What the token vouches for, by the names of PKCS#11 in lower case."""
        wanted = (
            Attribute.SENSITIVE,
            Attribute.EXTRACTABLE,
            Attribute.ALWAYS_SENSITIVE,
            Attribute.NEVER_EXTRACTABLE,
            Attribute.LOCAL,
        )
        with self._faults("describe a key"):
            return {item.name.lower(): bool(key.handle[item]) for item in wanted}

    def stated_check_value(self, key: TokenKey) -> bytes:
        """CKA_CHECK_VALUE, for a key that may not encrypt; empty where the token has none."""
        with self._faults("give a check value"):
            return bytes(key.handle[Attribute.CHECK_VALUE] or b"")

    def put(self, name: str, version: int, algorithm: str, value: bytes, *, test: bool) -> TokenKey:
        """Import a key, sensitive and not extractable from now on."""
        template = {
            **_PERMANENT,
            **_naming(name, version, test=test),
            **_USES[algorithm],
            Attribute.CLASS: ObjectClass.SECRET_KEY,
            Attribute.KEY_TYPE: _KEY_TYPES[algorithm],
            Attribute.VALUE: value,
        }
        with self._faults("import a key"):
            handle = self._session.create_object(template)
        return TokenKey(name, version, algorithm, test, handle)

    def generate(self, name: str, version: int, algorithm: str, *, test: bool) -> TokenKey:
        """Make a key inside; it has never been anywhere else."""
        template = {**_PERMANENT, **_naming(name, version, test=test), **_USES[algorithm]}
        length = 256 if algorithm == "aes" else None
        with self._faults("generate a key"):
            handle = self._session.generate_key(
                _KEY_TYPES[algorithm], length, store=True, template=template
            )
        return TokenKey(name, version, algorithm, test, handle)

    def destroy(self, handle: Any) -> None:  # noqa: ANN401 - the token's object
        """Destroy an object."""
        with self._faults("destroy a key"):
            handle.destroy()

    # --- work -------------------------------------------------------------------------------------

    def encrypt(self, handle: Any, blocks: bytes) -> bytes:  # noqa: ANN401
        """3DES-ECB of some blocks, of 4,096 cards at most."""
        with self._faults("encrypt with 3DES-ECB"):
            return bytes(handle.encrypt(blocks, mechanism=Mechanism.DES3_ECB))

    def encrypt_many(self, handle: Any, blocks: bytes) -> bytearray:  # noqa: ANN401
        """3DES-ECB of any number of blocks, 4,096 cards a call."""
        encrypted = bytearray(len(blocks))  # joining parts costs 3 % of the whole
        for at in range(0, len(blocks), CHUNK):
            encrypted[at : at + CHUNK] = self.encrypt(handle, blocks[at : at + CHUNK])
        return encrypted

    def derive(self, handle: Any, block: bytes, *, extractable: bool = False) -> Any:  # noqa: ANN401
        """A key of this session: the encryption of 16 bytes, which stays inside.

        The token may set odd parity on it: the same key, other bytes.
        """
        data = ctypes.create_string_buffer(block, len(block))
        # CK_KEY_DERIVATION_STRING_DATA, which the package does not build.
        parameter = struct.pack("@PL", ctypes.addressof(data), len(block))
        template = {
            **_GUARDED,
            Attribute.TOKEN: False,
            Attribute.EXTRACTABLE: extractable,
            Attribute.ENCRYPT: True,
            Attribute.DERIVE: True,
            Attribute.WRAP: False,
            Attribute.VALUE_LEN: DEFAULT,
        }
        with self._faults("derive a key inside"):
            return handle.derive_key(
                KeyType.DES2,
                len(block) * 8,
                mechanism=Mechanism.DES3_ECB_ENCRYPT_DATA,
                mechanism_param=parameter,
                template=template,
            )

    def wrap(self, wrapping: Any, handle: Any) -> bytes:  # noqa: ANN401
        """A key under another, AES key wrap (RFC 3394)."""
        with self._faults("wrap a key with AES"):
            return bytes(wrapping.wrap_key(handle, mechanism=Mechanism.AES_KEY_WRAP))

    def passing_key(self, algorithm: str) -> Any:  # noqa: ANN401
        """A key of this session that nobody needs, to try out what the token can do."""
        template = {**_GUARDED, **_USES[algorithm], Attribute.TOKEN: False}
        with self._faults("generate a key"):
            return self._session.generate_key(
                _KEY_TYPES[algorithm], 256 if algorithm == "aes" else None, template=template
            )

    @contextmanager
    def _faults(self, what: str) -> Iterator[None]:
        try:
            yield
        except _CANNOT as error:
            raise KeyPolicyError(
                f"token {self.label} cannot {what} ({type(error).__name__})",
                hint="`cardkit doctor` shows what this token can do",
            ) from None
        except PKCS11Error as error:
            if type(error) is PKCS11Error:  # a code the package has no name for
                raise KeyPolicyError(f"token {self.label} refuses to {what}") from None
            # Session, handle or device are no longer what they were.
            raise KeysLostError(
                f"token {self.label} went away ({type(error).__name__})",
                hint="put it back; the next call opens it again",
            ) from None


def _naming(name: str, version: int, *, test: bool) -> dict[Attribute, object]:
    mark = _ID.format(version=version, test=" test" * test)
    return {Attribute.LABEL: name, Attribute.ID: mark.encode("ascii")}


def _known(handle: Any) -> TokenKey | None:  # noqa: ANN401
    mark = bytes(handle[Attribute.ID] or b"").split(b" ")
    algorithm = _ALGORITHMS.get(handle[Attribute.KEY_TYPE])
    if mark[0] != b"cardkit" or len(mark) < 2 or algorithm is None:
        return None
    try:
        version = int(mark[1].removeprefix(b"v"))
    except ValueError:
        return None
    return TokenKey(handle[Attribute.LABEL], version, algorithm, b"test" in mark[2:], handle)
