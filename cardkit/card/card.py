"""`Card`: what is known about one chip, and how to read, update and open what is on it.

A `Card` has no link. Its methods are procedures; they send nothing that is not needed, because the
card knows which directory is selected and which security levels are open (decisions 1 and 3 of
docs/decisions.md: levels are a set per directory file, and are lost when it is left).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from cardkit.apdu import Command, StatusError, StatusWord
from cardkit.card.authentication import KEY_VERSION, algorithm_named, external_data
from cardkit.card.files.codings import Value
from cardkit.card.files.model import (
    Access,
    BinaryFile,
    CyclicFile,
    DirectoryFile,
    Field,
    File,
    KeySlot,
    KeyType,
    Level,
    Tree,
)
from cardkit.card.key_request import External, Internal
from cardkit.card.procedure import Procedure, ask, command, transmit
from cardkit.codec import bcd, tlv
from cardkit.crypto.algorithm import Algorithm
from cardkit.errors import RefusedError

CHALLENGE_LENGTH = 8
_BINARY_CHUNK = 0x80


class AuthenticationFailedError(RefusedError):
    """A key was refused by the card, or the card could not prove that it has one."""


class WrongPinError(RefusedError):
    """The PIN was refused; ``tries_left`` may be presented again."""

    def __init__(self, tries_left: int | None) -> None:
        left = "" if tries_left is None else f", {tries_left} tries left"
        left_zh = "" if tries_left is None else f"，剩余{tries_left}次"
        if tries_left == 0:
            message = "the PIN is locked"
            hint = "unlocking needs the holder, card and ID at a window"
            zh = "密码已锁定：请持卡人携卡和身份证到窗口解锁"
        else:
            message, hint = f"wrong PIN{left}", "check the PIN before the next try"
            zh = f"密码错误{left_zh}：请核对密码后再试"
        super().__init__(message, hint=hint, zh=zh)
        self.tries_left = tries_left

    def details(self) -> dict[str, object]:
        """Tries left, for programs; None when the card does not tell."""
        return {"tries_left": self.tries_left}


class Card:
    """What is known about one chip.

    Parameters
    ----------
    tree : Tree
        What its generation should have on it.
    atr : bytes
        Answer to reset.
    algorithm : Algorithm, optional
        What its keys work with, where that is known; else the card is believed when its environment
        is selected, and 3DES is taken until then.
    key_version : int
        Of the keys on the card: EXTERNAL AUTHENTICATE with SM4 and SSF33 names it.
    """

    def __init__(
        self,
        tree: Tree,
        atr: bytes,
        algorithm: Algorithm | None = None,
        *,
        key_version: int = KEY_VERSION,
    ) -> None:
        self.tree = tree
        self.atr = atr
        self.algorithm = algorithm or Algorithm.TDES
        self.key_version = key_version
        self._listens = algorithm is None
        self.selected: DirectoryFile | None = None
        self._levels: dict[str, set[int]] = {}
        self._pin_in: str | None = None
        self._granted: set[tuple[str, Access]] = set()

    @property
    def factor(self) -> bytes:
        """Card factor of key derivation: the last 8 bytes of the ATR (card.md 5.4)."""
        return self.atr[-8:]

    def forget(self) -> None:
        """After a reset nothing is selected and nothing is open."""
        self.selected = None
        self._levels.clear()
        self._granted.clear()
        self._pin_in = None

    # --- directories -------------------------------------------------------------------------

    def select(self, directory: DirectoryFile) -> Procedure[bytes]:
        """SELECT by name, unless it is selected already.

        Returns
        -------
        bytes
            File control information; empty when nothing had to be sent.
        """
        if self.selected is directory:
            return b""
        fci = yield from command(
            Command(0x00, 0xA4, 0x04, 0x00, directory.aid, le=256),
            what=f"SELECT {directory.label}",
        )
        self.entered(directory, fci)
        return fci

    def entered(self, directory: DirectoryFile, fci: bytes = b"") -> None:
        """Note that a SELECT made ``directory`` current; ``fci`` is what the card answered.

        Its own levels start empty; those of the directories above it stay; all others are lost.
        """
        if fci and self._listens and directory.label == "SSSE":
            with contextlib.suppress(ValueError):  # whoever wants to write refuses an unknown one
                self.algorithm = Algorithm.of_card(algorithm_named(fci))
        self.selected = directory
        self._granted.clear()
        self._pin_in = None
        above = {parent.label for parent in self._above(directory)}
        self._levels = {label: levels for label, levels in self._levels.items() if label in above}

    def _above(self, directory: DirectoryFile) -> Iterator[DirectoryFile]:
        parent = self.tree.parent(directory)
        while parent is not None:
            yield parent
            parent = self.tree.parent(parent)

    def levels(self, directory: DirectoryFile) -> frozenset[int]:
        """Security levels open in a directory."""
        return frozenset(self._levels.get(directory.label, ()))

    def may(self, access: Access, directory: DirectoryFile) -> bool:
        """Whether a condition of a file of ``directory`` is met now."""
        asked = (directory.label, access)
        if asked in self._granted:  # levels only grow until another directory is selected
            return True
        if not self._opened(access, directory):
            return False
        self._granted.add(asked)
        return True

    def _opened(self, access: Access, directory: DirectoryFile) -> bool:
        above = self.tree.parent(directory)
        upper = self.levels(above) if above else frozenset()
        pin = frozenset({Level.PIN}) if self._pin_in == directory.label else frozenset()
        own = self.levels(directory)
        return access.opened_by(upper | pin, own | (pin if self._holds_pin(directory) else set()))

    def _lose(self, directory: DirectoryFile) -> None:
        # A refused key or PIN takes its level away; which others stay is the chip's own affair.
        self._levels.pop(directory.label, None)
        self._granted.clear()
        self._pin_in = None

    @staticmethod
    def _holds_pin(directory: DirectoryFile) -> bool:
        return any(slot.type is KeyType.PIN for slot in directory.keys)

    # --- keys --------------------------------------------------------------------------------

    def challenge(self, length: int = CHALLENGE_LENGTH) -> Procedure[bytes]:
        """GET CHALLENGE; the card accepts it once."""
        return (
            yield from command(Command(0x00, 0x84, 0x00, 0x00, le=length), what="GET CHALLENGE")
        )

    def external_authenticate(self, directory: DirectoryFile, slot: KeySlot) -> Procedure[None]:
        """Open the level of a key of the selected directory, unless it is open.

        The data half of the command repeats the challenge, as most terminals do; with SM4 the
        version of the key follows (17 bytes). A refusal is never tried again: the card counts.

        Raises
        ------
        AuthenticationFailedError
            Wrong key; names the tries left.
        """
        if slot.level in self._levels.get(directory.label, ()):
            return
        yield from self.select(directory)
        challenge = yield from self.challenge()
        proof = yield from ask(External(directory.key_name(slot), challenge, challenge))
        kid = Level.FREE if slot.type is KeyType.MASTER else slot.kid
        data = external_data(self.algorithm, proof, challenge, self.key_version)
        answer = yield from transmit(Command(0x00, 0x82, 0x00, kid, data))
        if not answer.sw.ok:
            self._lose(directory)
            raise _refused(directory.key_name(slot), answer.sw)
        self._levels.setdefault(directory.label, set()).add(slot.level)

    def internal_authenticate(
        self, directory: DirectoryFile, slot: KeySlot, factor: bytes, data: bytes
    ) -> Procedure[None]:
        """Have the card prove that it holds a key (INTERNAL AUTHENTICATE).

        Raises
        ------
        AuthenticationFailedError
            Its answer is not the one that the key gives: another master key, or no genuine card.
        """
        yield from self.select(directory)
        answer = yield from transmit(
            Command(0x00, 0x88, 0x00, slot.kid, factor + data, le=CHALLENGE_LENGTH)
        )
        name = directory.key_name(slot)
        if not answer.sw.ok:
            raise _refused(name, answer.sw)
        if answer.data != (yield from ask(Internal(name, factor, data))):
            raise AuthenticationFailedError(
                f"{name}: the card does not hold the key of this profile",
                hint="nothing was written; check that profile and master keys are this city's",
                zh=f"{name}：卡片密钥与配置不符，未写入任何数据：请核对配置和主密钥",
            )

    def open_for(
        self, access: Access, directory: DirectoryFile, pin: str | None = None
    ) -> Procedure[None]:
        """Authenticate with the keys that a condition asks for, if they are not open yet.

        Of "PIN or key" the key is taken. ``pin`` is presented where only a PIN helps.

        Raises
        ------
        RefusedError
            No key of the directory opens it, or it needs the PIN and there is none.
        """
        yield from self.select(directory)
        if self.may(access, directory):
            return
        slot = next((k for k in directory.keys if k.level == access.own and k.level), None)
        if slot is not None:
            yield from self.external_authenticate(directory, slot)
        if pin is not None and not self.may(access, directory):
            yield from self.verify_pin(directory, pin)
        if not self.may(access, directory):
            raise RefusedError(
                f"a file of {directory.label} opens only with the holder's PIN",
                hint="verify the PIN first",
                zh=f"{directory.label} 的文件须凭持卡人密码打开：请先校验密码",
            )

    # --- PIN ---------------------------------------------------------------------------------

    def verify_pin(self, directory: DirectoryFile, pin: str) -> Procedure[None]:
        """VERIFY; counts for this directory until it is left.

        Parameters
        ----------
        pin : str
            4 to 16 digits.

        Raises
        ------
        WrongPinError
            Wrong or locked; never tried again by itself.
        """
        yield from self.select(directory)
        answer = yield from transmit(Command(0x00, 0x20, 0x00, 0x00, pin_bytes(pin)))
        if not answer.sw.ok:
            self._lose(directory)
            raise _wrong_pin(answer.sw)
        self._pin_in = directory.label

    def change_pin(self, directory: DirectoryFile, old: str, new: str) -> Procedure[None]:
        """CHANGE PIN: old ‖ FF ‖ new (80 5E 01 00)."""
        yield from self.select(directory)
        answer = yield from transmit(
            Command(0x80, 0x5E, 0x01, 0x00, pin_bytes(old) + b"\xff" + pin_bytes(new))
        )
        if not answer.sw.ok:
            raise _wrong_pin(answer.sw)

    # --- data --------------------------------------------------------------------------------

    def read(self, field: Field) -> Procedure[Value]:
        """Value of one item.

        Returns
        -------
        Value
            None for an unfilled item.

        Raises
        ------
        StatusError
            Condition not met, record missing.
        """
        data = _value_of(field, (yield from self.read_record(field)))
        if field.inner is not None:
            data = dict(tlv.parse_simple(data)).get(field.inner.tag, field.inner.unfilled)
        return field.decode(data)

    def update(self, field: Field, value: Value, *, by_number: bool = False) -> Procedure[None]:
        """Write the value of one item; ``by_number`` is the form that creates records."""
        yield from self.update_record(field, field.item.record(value), by_number=by_number)

    def read_record(self, field: Field) -> Procedure[bytes]:
        """READ RECORD: by tag where tags are unique in the file, else by number.

        Returns
        -------
        bytes
            Tag, length and value, as they are on the card.
        """
        yield from self.select(field.directory)
        p1, kind = (field.item.tag, 0) if field.unique else (field.number, 4)
        return (
            yield from command(
                Command(0x00, 0xB2, p1, field.file.sfi << 3 | kind, le=field.item.length + 2),
                what=f"READ RECORD {field.item.tag:02X}",
                file=field.place,
            )
        )

    def update_record(
        self, field: Field, record: bytes, *, by_number: bool = False
    ) -> Procedure[None]:
        """UPDATE RECORD with tag, length and value."""
        yield from self.select(field.directory)
        p1, kind = (field.item.tag, 0) if field.unique and not by_number else (field.number, 4)
        yield from command(
            Command(0x00, 0xDC, p1, field.file.sfi << 3 | kind, record),
            what=f"UPDATE RECORD {field.item.tag:02X}",
            file=field.place,
        )

    def read_cyclic(
        self, directory: DirectoryFile, file: CyclicFile
    ) -> Procedure[list[dict[str, Value]]]:
        """All records of a cyclic file, newest first."""
        yield from self.select(directory)
        found: list[dict[str, Value]] = []
        for number in range(1, file.count + 1):
            read = Command(0x00, 0xB2, number, file.sfi << 3 | 4, le=file.record_length)
            answer = yield from transmit(read)
            if answer.sw == _NO_RECORD:
                break
            if not answer.sw.ok:
                raise StatusError(
                    answer.sw, read, what="READ RECORD", file=f"{directory.label} {file.label}"
                )
            found.append(file.decode(answer.data))
        return found

    def read_binary(self, directory: DirectoryFile, file: BinaryFile) -> Procedure[bytes]:
        """Content of a transparent file."""
        yield from self.select(directory)
        content = b""
        while len(content) < file.size:
            p1, p2 = _binary_address(file, len(content))
            content += yield from command(
                Command(0x00, 0xB0, p1, p2, le=min(_BINARY_CHUNK, file.size - len(content))),
                what="READ BINARY",
                file=f"{directory.label} {file.label}",
            )
        return content

    def update_binary(
        self, directory: DirectoryFile, file: BinaryFile, content: bytes
    ) -> Procedure[None]:
        """Write a transparent file from its beginning."""
        yield from self.select(directory)
        for at in range(0, len(content), _BINARY_CHUNK):
            p1, p2 = _binary_address(file, at)
            yield from command(
                Command(0x00, 0xD6, p1, p2, content[at : at + _BINARY_CHUNK]),
                what="UPDATE BINARY",
                file=f"{directory.label} {file.label}",
            )


_NO_RECORD = 0x6A83


def pin_bytes(pin: str) -> bytes:
    """PIN as BCD, an odd digit filled with F.

    Examples
    --------
    >>> pin_bytes("123456").hex()
    '123456'
    """
    if not pin.isdecimal() or not pin.isascii() or not 4 <= len(pin) <= 16:
        raise RefusedError(
            "a PIN has 4 to 16 digits",
            hint="enter digits only",
            zh="密码应为4至16位数字：请只输入数字",
        )
    return bcd.encode(pin, (len(pin) + 1) // 2)


def _refused(name: str, sw: StatusWord) -> AuthenticationFailedError:
    return AuthenticationFailedError(
        f"{name}: the card refuses the key, {sw}",
        hint="check profile and master keys before the next try; at 0 tries the key is dead",
        zh=f"{name}：卡片拒绝密钥{_tries_zh(sw)}：核对主密钥之前不要再试",
    )


def _tries_zh(sw: StatusWord) -> str:
    return "" if sw.tries_left is None else f"，剩余{sw.tries_left}次"


def _wrong_pin(sw: StatusWord) -> RefusedError:
    if sw.tries_left is not None:
        return WrongPinError(sw.tries_left)
    return RefusedError(
        f"the card refuses the PIN command, {sw}",
        hint="is it a finished card of this generation?",
        zh=f"卡片拒绝密码命令，返回{int(sw):04X}：请确认是本代已制的卡",
    )


def _value_of(field: Field, record: bytes) -> bytes:
    heading = bytes((field.item.tag, field.item.length))
    if len(record) != field.item.length + 2 or record[:2] != heading:
        raise RefusedError(
            f"{field.address}: the card returns a record of another shape",
            hint="this is not a card of the generation the profile names",
            zh=f"{field.address}：卡片返回的记录格式不符：请使用相应卡代的配置",
        )
    return record[2:]


def _binary_address(file: File, offset: int) -> tuple[int, int]:
    # The short identifier form only reaches offset 0-255; it also makes the file current, so
    # later chunks go by the 15-bit offset (ISO 7816-4 7.2.2).
    if offset == 0:
        return 0x80 | file.sfi, 0
    return offset >> 8, offset & 0xFF
