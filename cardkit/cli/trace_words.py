"""Words for the commands of a trace: names of files, items and keys of the specification tree.

The narrator follows SELECT as a card does, so it is given every exchange in its order. It reads
headers, names and identifiers, never the value of an item.
"""

from __future__ import annotations

from cardkit.apdu import StatusWord
from cardkit.apdu.instructions import find
from cardkit.apdu.mask import Pattern
from cardkit.card.files.model import DirectoryFile, File, KeySlot, KeyType, RecordFile, Tree

_SELECT_BY_NAME = 0x04
_BY_NUMBER = 0x04
_MODE = 0x07
_SFI_OF_BINARY = 0x80
_DIR_SFI = 0x1E
_INTERNAL = {0xEF80: "SF (keys)", 0xEF23: "FCI", 0xEF1E: "DIR", 0xEF81: "TF (purse)"}


class Narrator:
    """Tells what commands mean on a card of one generation.

    Parameters
    ----------
    tree : Tree
        Names of what may be on the card.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._here: DirectoryFile | None = None
        self._file: File | None = None

    def reset(self) -> None:
        """The chip was reset: the MF is current."""
        self._here, self._file = self._tree.directories[0], None

    def annotate(self, command: bytes, answer: bytes | None) -> str:
        """Words for one exchange, see `cardkit.apdu.trace_link.Annotator`."""
        return self.tell(Pattern(command), answer)

    def tell(self, command: Pattern, answer: bytes | None) -> str:
        """Words for one exchange of which bytes may be hidden.

        Parameters
        ----------
        answer : bytes or None
            Only its status word is looked at.
        """
        row = find(command.value)
        details = {
            "SELECT": self._select,
            "READ RECORD": self._record,
            "UPDATE RECORD": self._record,
            "APPEND RECORD": self._record,
            "READ BINARY": self._binary,
            "UPDATE BINARY": self._binary,
            "EXTERNAL AUTHENTICATE": self._external,
            "INTERNAL AUTHENTICATE": self._internal,
            "CREATE FILE": self._create,
            "END OF PRE-ISSUE": self._where,
            "VERIFY": self._where,
        }.get(row.name)
        words = details(command, _done(answer)) if details else ""
        return f"{row.name} {words}".rstrip()

    def _select(self, command: Pattern, done: bool) -> str:  # noqa: FBT001 - one shape for all
        name = _data(command)
        if name is None:
            return ""
        p1 = command.value[2]
        fid = int.from_bytes(name, "big")
        for directory in self._tree.directories:
            if name == directory.aid or (p1 != _SELECT_BY_NAME and fid == directory.fid):
                self._here, self._file = (directory, None) if done else (self._here, self._file)
                return directory.label
        files = self._here.files if self._here and p1 != _SELECT_BY_NAME else ()
        file = next((file for file in files if file.fid == fid), None)
        if file is not None:
            self._file = file if done else self._file
            return self._label(file)
        if done:  # something that this tree does not have
            self._here = self._file = None
        return ""

    def _record(self, command: Pattern, done: bool) -> str:  # noqa: FBT001
        p1, p2 = command.value[2:4]
        file = self._by_sfi(p2 >> 3, done)
        if file is None:
            name = "DIR" if p2 >> 3 == _DIR_SFI else f"SFI {p2 >> 3:02X}"
            return f"{name} {p1:02X}"
        place = f"{self._label(file)} {p1:02X}"
        if not isinstance(file, RecordFile):
            return place
        by_number = p2 & _MODE == _BY_NUMBER
        for number, item in enumerate(file.items, start=1):
            if p1 == (number if by_number else item.tag):
                shown = f"{item.tag:02X}" + (f" (record {number})" if by_number else "")
                return " ".join((self._label(file), shown, item.name, item.chinese)).rstrip()
        return place

    def _binary(self, command: Pattern, done: bool) -> str:  # noqa: FBT001
        p1 = command.value[2]
        file = self._by_sfi(p1 & 0x1F, done) if p1 & _SFI_OF_BINARY else self._file
        return self._label(file) if file else ""

    def _by_sfi(self, sfi: int, done: bool) -> File | None:  # noqa: FBT001
        if sfi == 0:
            return self._file
        files = self._here.files if self._here else ()
        file = next((file for file in files if file.sfi == sfi), None)
        self._file = file if done else self._file
        return file

    def _external(self, command: Pattern, done: bool) -> str:  # noqa: ARG002, FBT001
        kid = command.value[3]
        return self._key(kid, KeyType.EXTERNAL if kid else KeyType.MASTER)

    def _internal(self, command: Pattern, done: bool) -> str:  # noqa: ARG002, FBT001
        return self._key(command.value[3], KeyType.INTERNAL)

    def _key(self, kid: int, kind: KeyType) -> str:
        slots: tuple[KeySlot, ...] = self._here.keys if self._here else ()
        for slot in slots:
            if (slot.kid, slot.type) == (kid, kind) and self._here:
                return self._here.key_name(slot)
        return f"key {kid:02X}"

    def _create(self, command: Pattern, done: bool) -> str:  # noqa: ARG002, FBT001
        data = _data(command)
        if data is None or len(data) < 7:
            return ""
        fid = int.from_bytes(data[5:7], "big")
        found = next((d.label for d in self._tree.directories if d.fid == fid), "")
        if found == self._tree.directories[0].label:
            self._here = self._tree.directories[0]  # the MF alone is current once it is there
        if found or self._here is None:
            return found or f"{fid:04X}"
        return f"{self._here.label} {_INTERNAL.get(fid, f'EF{fid & 0xFF:02X}')}"

    def _where(self, command: Pattern, done: bool) -> str:  # noqa: ARG002, FBT001
        return self._here.label if self._here else ""

    def _label(self, file: File) -> str:
        return f"{self._here.label} {file.label}" if self._here else file.label


def _done(answer: bytes | None) -> bool:
    if answer is None or len(answer) < 2:
        return False
    sw = StatusWord(int.from_bytes(answer[-2:], "big"))
    return sw.ok or sw.more is not None or sw.warning


def _data(command: Pattern) -> bytes | None:
    """Data of a short command, None when some of it is hidden."""
    lc = command.value[4] if len(command) > 5 else 0
    return None if not command.hidden.isdisjoint(range(5, 5 + lc)) else command.value[5 : 5 + lc]
