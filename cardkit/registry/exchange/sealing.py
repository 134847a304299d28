"""Files are sealed to the one who may open them, in the age format, by pyrage.

The only place that imports it.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from cardkit.errors import UsageError
from cardkit.registry.exchange.errors import ExchangeRefusedError

SUFFIX = ".age"
_MAGICS = (b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")
"""A sealed file begins with one of them: as bytes, or as text for mails (``age --armor``)."""


def _pyrage() -> Any:  # noqa: ANN401 - it has no types of its own
    """The library, loaded when the first file is sealed or opened."""
    return import_module("pyrage")


def check_recipient(recipient: str) -> None:
    """Refuse what is no public key.

    Raises
    ------
    UsageError
        It is none.
    """
    pyrage = _pyrage()
    try:
        pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError:
        raise UsageError(
            "the recipient is no public age key",
            hint="it begins with age1; the partner makes it with age-keygen",
            zh="收件人不是 age 公钥（以 age1 开头）：请对方用 age-keygen 生成",
        ) from None


def seal(data: bytes, recipient: str) -> bytes:
    """Data that only the holder of the recipient's identity can open."""
    pyrage = _pyrage()
    return bytes(pyrage.encrypt(data, [pyrage.x25519.Recipient.from_str(recipient)]))


def is_sealed(data: bytes) -> bool:
    """Whether this is an age file."""
    return data.startswith(_MAGICS)


def open_sealed(data: bytes, identity_file: Path) -> bytes:
    """Open a sealed file with the identities in a file (``AGE-SECRET-KEY-1...``, one a line).

    Raises
    ------
    UsageError
        The identity file cannot be used.
    ExchangeRefusedError
        The file is sealed to somebody else, or was changed on its way.
    """
    pyrage = _pyrage()
    try:
        lines = identity_file.read_text("ascii").splitlines()
        identities = [
            pyrage.x25519.Identity.from_str(line.strip())
            for line in lines
            if line.strip() and not line.startswith("#")
        ]
    except (OSError, UnicodeDecodeError, pyrage.IdentityError):
        identities = []
    if not identities:
        raise UsageError(
            f"{identity_file} has no identity that opens files",
            hint="name a file made with age-keygen",
            zh=f"{identity_file} 中没有可用的私钥：请指明 age-keygen 生成的文件",
        )
    try:
        return bytes(pyrage.decrypt(data, identities))
    except pyrage.DecryptError:
        raise ExchangeRefusedError(
            "sealed",
            "the file cannot be opened: it is sealed to somebody else, or damaged",
            hint="let the sender seal it to your public key again",
            zh="文件无法解密：不是加密给本机的，或已损坏；请对方重新加密发送",
        ) from None
