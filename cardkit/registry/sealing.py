"""age files (pyrage): to public keys, or by a passphrase that protects a key of the file's own."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

import pyrage

from cardkit.errors import RefusedError, UsageError

_KEY_LINE = b"cardkit-backup-key "
_MOST = 4096  # bytes of the line with the protected key


class Source(Protocol):
    """Something to read from."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, ``b""`` at the end."""


class Sink(Protocol):
    """Something to write to."""

    def write(self, data: bytes, /) -> int | None:
        """Take all of `data`."""

    def flush(self) -> None:
        """Nothing is kept back."""


class WrongKeyError(RefusedError):
    """The key or passphrase does not open the file."""


@dataclass(frozen=True, slots=True)
class Lock:
    """Who can open a file: the holders of the keys to `recipients`, or of a passphrase."""

    recipients: tuple[str, ...] = ()
    passphrase: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Key:
    """What opens a file: the text of age identities (secret), or a passphrase."""

    identities: tuple[str, ...] = field(default=(), repr=False)
    passphrase: str = field(default="", repr=False)


def seal(source: Source, target: Sink, lock: Lock) -> None:
    """Encrypt everything `source` gives.

    Raises
    ------
    UsageError
        There is no recipient, or one is no public key of age.
    """
    recipients: list[Any]
    if lock.passphrase:
        own = pyrage.x25519.Identity.generate()
        sealed = pyrage.passphrase.encrypt(str(own).encode(), lock.passphrase)
        target.write(_KEY_LINE + base64.b64encode(sealed) + b"\n")
        recipients = [own.to_public()]
    else:
        recipients = [_recipient(text) for text in lock.recipients]
    if not recipients:
        raise UsageError(
            "a backup leaves encrypted: for whom?",
            hint="--to AGE-PUBLIC-KEY, or a passphrase",
            zh="备份必须加密：请用 --to 指定公钥，或设口令",
        )
    pyrage.encrypt_io(source, target, recipients)


def unseal(file: BinaryIO, target: Sink, key: Key, name: str) -> None:
    """Decrypt a file into `target`, which gets only what was checked.

    Raises
    ------
    WrongKeyError
        The key is not for this file.
    UsageError
        The file is not complete, was changed, or is something else.
    """
    start = file.peek(len(_KEY_LINE))[: len(_KEY_LINE)] if hasattr(file, "peek") else b""
    protected = start == _KEY_LINE
    line = file.readline(_MOST) if protected else b""
    try:
        if protected:
            identities = [_protected(line, key.passphrase, name)]
        else:
            identities = [_identity(text) for text in key.identities]
        if not identities:
            raise _wrong(name)
        pyrage.decrypt_io(file, target, identities)
    except pyrage.DecryptError as error:
        if "No matching keys" in str(error):
            raise _wrong(name) from None
        raise damaged(name) from None
    except OSError as error:
        if error.errno is not None:  # of the disk, not of the contents
            raise
        raise damaged(name) from None


def looks_sealed(start: bytes) -> bool:
    r"""Whether a file that begins like this can be one that `seal` wrote, or a part of one.

    Examples
    --------
    >>> looks_sealed(b"age-encryption.org/v1\n"), looks_sealed(b"age-"), looks_sealed(b"name;sex")
    (True, True, False)
    """
    begins = (_KEY_LINE, b"age-encryption.org/")
    return any(start[: len(begin)] == begin[: len(start)] for begin in begins)


def damaged(name: str, what: str = "it is not complete, or was changed") -> UsageError:
    """The error about a file that cannot be trusted."""
    return UsageError(
        f"{name} is no usable backup: {what}",
        hint="take another copy of it; nothing was made from this one",
        zh=f"{name} 不是可用的备份（不完整或被改动）：请换一份，未恢复任何数据",
    )


def _wrong(name: str) -> WrongKeyError:
    return WrongKeyError(
        f"the key or passphrase does not open {name}",
        hint="--identity FILE with the secret key the backup was made for, or its passphrase",
        zh=f"密钥或口令打不开 {name}：请使用制作备份时对应的私钥或口令",
    )


def _protected(line: bytes, passphrase: str, name: str) -> Any:  # noqa: ANN401 - pyrage has no types
    if not passphrase:
        raise _wrong(name)
    try:
        sealed = base64.b64decode(line.removeprefix(_KEY_LINE).strip(), validate=True)
    except binascii.Error:
        raise damaged(name) from None
    try:
        text = pyrage.passphrase.decrypt(sealed, passphrase).decode()
    except pyrage.DecryptError:
        raise _wrong(name) from None
    return _identity(text)


def _recipient(text: str) -> Any:  # noqa: ANN401
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise UsageError(
            "a recipient is no public key of age",
            hint="it begins with age1; `age-keygen` makes a pair",
            zh="接收方不是 age 公钥（应以 age1 开头）",
        ) from None


def _identity(text: str) -> Any:  # noqa: ANN401
    try:
        return pyrage.x25519.Identity.from_str(text)
    except pyrage.IdentityError:
        raise UsageError(
            "the identity file holds no secret key of age",
            hint="it begins with AGE-SECRET-KEY-1",
            zh="私钥文件中没有 age 私钥（应以 AGE-SECRET-KEY-1 开头）",
        ) from None


def identities_in(lines: Sequence[str]) -> tuple[str, ...]:
    """Secret keys in the lines of an identity file, without its comments.

    Examples
    --------
    >>> identities_in(["# created: today", "", "AGE-SECRET-KEY-1X"])
    ('AGE-SECRET-KEY-1X',)
    """
    stripped = (line.strip() for line in lines)
    return tuple(line for line in stripped if line and not line.startswith("#"))
