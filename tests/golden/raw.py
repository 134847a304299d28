"""A card spoken to with bare bytes, and the keys of a card, without any of the toolkit's own code.

Everything that the golden tests compare comes through here. Ciphers are those of the
`cryptography` package, keys those of the file of test keys; rules are written out once more
(card.md 5.4, 5.5), so that an error in the toolkit cannot hide behind itself.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

SSSE_NAME = "7378312E73682EC9E7BBE1B1A3D5CF"
PIN = "123456"
MASTER_KEYS = Path(__file__).parents[2] / "keys_test" / "masters-3des.toml"
PROVINCE, CITY = b"630000sh", b"639900sx"

Transmit = Callable[[bytes], bytes]


def encrypt(key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
    """3DES (16 bytes of key) or DES (8), ECB, or CBC with an initial vector."""
    mode = modes.ECB() if iv is None else modes.CBC(iv)  # noqa: S305
    return Cipher(TripleDES(_three_keys(key)), mode).encryptor().update(data)


def decrypt(key: bytes, data: bytes) -> bytes:
    """Inverse of `encrypt` in ECB."""
    return Cipher(TripleDES(_three_keys(key)), modes.ECB()).decryptor().update(data)  # noqa: S305


def _three_keys(key: bytes) -> bytes:
    return key * 3 if len(key) == 8 else key + key[:8]


def master_key(name: str) -> bytes:
    """A key of the file of test keys, by its name there."""
    keys = tomllib.loads(MASTER_KEYS.read_text(encoding="utf-8"))["keys"]
    return bytes.fromhex(keys[name]["value"])


def card_key(name: str, atr: bytes) -> bytes:
    """Master key → province → city → card; a level is 3DES(F) ‖ 3DES(NOT F)."""
    key = master_key(name)
    for factor in (PROVINCE, CITY, atr[-8:]):
        key = encrypt(key, factor) + encrypt(key, bytes(byte ^ 0xFF for byte in factor))
    return key


def id_code_mac(irk: bytes, id_code: bytes) -> bytes:
    """ISO 9797-1 algorithm 3 with padding 80 00..., initial vector 0; the first 4 bytes."""
    padded = id_code + b"\x80" + bytes(-(len(id_code) + 1) % 8)
    last = encrypt(irk[:8], padded, bytes(8))[-8:]
    return encrypt(irk[:8], decrypt(irk[8:], last))[:4]


class RawCard:
    """One card and the commands that read it, as T=0 bytes.

    Parameters
    ----------
    transmit : callable
        Carries a command to the card, completes nothing.
    atr : bytes
        Its answer to reset.
    """

    def __init__(self, transmit: Transmit, atr: bytes) -> None:
        self._transmit = transmit
        self.atr = atr

    def send(self, command: str) -> str:
        """Answer of the card as it is, data and status word, in hex."""
        return self._transmit(bytes.fromhex(command)).hex().upper()

    def done(self, command: str) -> None:
        """Send what must answer 9000 and nothing else, or announce data that are not fetched."""
        answer = self.send(command)
        assert answer == "9000" or (answer[:2] == "61" and len(answer) == 4), (command, answer)

    def select(self, directory: str) -> None:
        """SSSE by its name, the applications below it by identifier."""
        self.done(f"00A404000F{SSSE_NAME}")
        if directory != "SSSE":
            self.done(f"00A4000002{directory}")

    def verify_pin(self) -> None:
        """The initial PIN, in the current directory."""
        self.done(f"0020000003{PIN}")

    def authenticate(self, name: str, kid: int) -> None:
        """EXTERNAL AUTHENTICATE with a key of the current directory."""
        challenge = bytes.fromhex(self.send("0084000008")[:16])
        data = bytes.fromhex("1122334455667788")
        process_key = encrypt(card_key(name, self.atr), challenge)
        self.done(f"008200{kid:02X}10{(encrypt(process_key, data) + data).hex()}")

    def read_record(self, number: int) -> str:
        """READ RECORD of the current file: first the length from 6Cxx, then the record.

        Returns
        -------
        str
            The record in hex, or the status word of a refusal.
        """
        answer = self.send(f"00B2{number:02X}0400")
        if answer[:2] != "6C":
            return answer
        record = self.send(f"00B2{number:02X}04{answer[2:]}")
        assert record[-4:] == "9000", record
        return record[:-4]

    def read_records(self) -> list[str]:
        """All records of the current file up to the first that is missing."""
        found: list[str] = []
        while (record := self.read_record(len(found) + 1)) != "6A83":
            found.append(record)
        return found

    def read_binary(self, size: int) -> str:
        """READ BINARY of the current file, which must end after ``size`` bytes."""
        content = ""
        for at in range(0, size, 0x80):
            part = self.send(f"00B0{at:04X}{min(0x80, size - at):02X}")
            assert part[-4:] == "9000", part[-4:]
            content += part[:-4]
        assert self.send(f"00B0{size:04X}01") == "6B00"
        return content
