"""Audit of ``blank-session.trace``: every byte of the session, worked out a second time.

Independent of the toolkit: of `cardkit` it uses the trace parser only. From the rules and tables
beside it, it knows what each command must be and what a card must answer. From the trace it takes
nothing but what is random: the challenges of the card and the data of INTERNAL AUTHENTICATE, which
both enter the cryptograms that follow.
"""

from __future__ import annotations

from typing import TypeVar

from cardkit.apdu.trace import Exchange, Reset, Trace
from tests.golden import audit_tables as spec
from tests.golden.audit_rules import (
    card_key,
    cyclic,
    encrypt,
    master_key,
    pad,
    process,
    records,
    retail_mac,
    row,
    space,
)

_FREE, _NEVER, _PIN_LEVEL = 0x00, 0xEF, 0x01
_OK = "9000"

E = TypeVar("E", Exchange, Reset)


class DeviationError(AssertionError):
    """A line of the trace is not what the rules make of it."""


class Audit:
    """Walks through a trace, line by line; `run` raises DeviationError at the first wrong one.

    Parameters
    ----------
    trace : Trace
        Recorded next to the chip, unmasked.
    """

    def __init__(self, trace: Trace) -> None:
        self._events = iter(trace.events)
        self._factor = spec.ATR_HEAD[-2:] + spec.SERIAL
        self._values = row()
        self._challenges: set[bytes] = set()
        self._fci_written: set[str] = set()
        self.reviewed: list[str] = []

    def run(self) -> None:
        """Audit the whole session."""
        self._start()
        for directory in spec.DIRECTORIES:
            self._directory(directory)
        self._end_of_pre_issue()
        self._check()
        if next(self._events, None) is not None:
            raise DeviationError("the session goes on after its end")

    # lines

    def _next(self, wanted: type[E], clause: str) -> E:
        event = next(self._events, None)
        if not isinstance(event, wanted):
            raise DeviationError(f"{clause}: {wanted.__name__} missing at {event}")
        self.reviewed.append(clause)
        return event

    def _same(self, line: int, clause: str, found: bytes, right: bytes | str) -> None:
        right = right if isinstance(right, bytes) else bytes.fromhex(right)
        if found != right:
            raise DeviationError(f"line {line}, {clause}: {found.hex()} instead of {right.hex()}")

    def _exchange(self, clause: str) -> tuple[int, bytes, bytes]:
        event = self._next(Exchange, clause)
        if event.masked or event.answer is None:
            raise DeviationError(f"line {event.line}, {clause}: masked or unanswered")
        return event.line, event.command.value, event.answer.value

    def command(self, clause: str, header: str, data: bytes = b"", answer: str = _OK) -> None:
        """One command, all its bytes, and all bytes of its answer."""
        line, sent, told = self._exchange(clause)
        lc = bytes((len(data),)) if data else b""
        self._same(line, clause, sent, bytes.fromhex(header) + lc + data)
        self._same(line, f"{clause}, answer", told, answer)

    def reset(self, clause: str, atr: bytes) -> None:
        """A reset and its ATR."""
        event = self._next(Reset, clause)
        self._same(event.line, clause, event.atr.value, atr)

    def challenge(self) -> bytes:
        """GET CHALLENGE: 8 bytes, never the same."""
        line, sent, told = self._exchange("GET CHALLENGE")
        self._same(line, "GET CHALLENGE", sent, "0084000008")
        fresh = told[:-2]
        if len(fresh) != 8 or told[-2:] != b"\x90\0" or fresh in self._challenges:
            raise DeviationError(f"line {line}: no fresh challenge of 8 bytes")
        self._challenges.add(fresh)
        return fresh

    def collected(self, clause: str, header: str, data: bytes, answer: bytes) -> None:
        """A command whose answer T=0 hands out through 61xx and GET RESPONSE (card.md 2.1)."""
        length = f"{len(answer):02X}"
        self.command(clause, header, data, f"61{length}")
        self.command("GET RESPONSE", f"00C00000{length}", answer=answer.hex() + _OK)

    def _key(self, name: str) -> bytes:
        return card_key(name, self._factor)

    # steps

    def _start(self) -> None:
        """What the chip is, then cos.md 7.2 order: transport key, serial, ATR."""
        self.reset("ATR of the blank chip", spec.ATR_HEAD + spec.FACTORY_SERIAL)
        ssse = spec.DIRECTORIES[1]
        self.command("no SSSE on a blank chip", "00A40400", ssse.name, "6A81")
        self.challenge()  # a locked card would refuse it; its answer is used for nothing
        self.command("no MF either", "00A40000", bytes.fromhex("3F00"), "6A81")
        transport = encrypt(master_key("T514.TRANSPORT"), bytes(2) + spec.FACTORY_SERIAL)
        self.command("transport key: 3DES(0000 ‖ factory serial) (9)", "80E00300", transport)
        self.command("serial: 0000 ‖ city ‖ number", "80E00500", bytes(2) + spec.SERIAL)
        self.command("first 11 bytes of the ATR", "00140000", spec.ATR_HEAD)

    def _directory(self, directory: spec.Directory) -> None:
        if directory.label == "MF":
            self._create_directory(directory)  # and is current by it
        else:
            self._select(directory)
        self._load_keys(directory)
        fci = self._fci_record(directory)
        self._create("FCI (15)", 0xEF23, 0xC3, 0x23, 0x00, 0xFF, len(fci) + 2, b"\0\0", b"\xef\xff")
        entries = [_dir_record(_directory(child)) for child in directory.children]
        if entries:
            size = sum(len(entry) for entry in entries) + 2
            self._create("DIR (15)", 0xEF1E, 0xD6, 0x1E, 0x00, 0xFF, size, b"\0\0", b"\xef\xff")
        challenge = self.challenge()
        proof = process(self._key(f"{directory.label}.MK"), challenge, challenge)
        self.command("MK authentication (6)", "00820000", proof + challenge)
        self.command("FCI record (10)", "00D20123", fci)
        self._fci_written.add(directory.label)
        for number, entry in enumerate(entries, start=1):
            self.command("DIR record (10)", f"00DC{number:02X}F4", entry)
        self._files(directory)
        for child in directory.children:
            self._create_directory(_directory(child))

    def _create_directory(self, directory: spec.Directory) -> None:
        is_mf = directory.label == "MF"
        kind = 0x01 if directory.children else 0x02
        data = bytes((0x00, directory.lock, 0x00, 0xFF, 0x01)) + directory.fid.to_bytes(2, "big")
        data += bytes((kind, 0x00, is_mf, 0x23, 0x00, 0x00, 0x80, 0x00, 0x81)) + directory.name
        self.command(f"CREATE {directory.label} (18)", "80E00100", data)

    def _create(
        self, clause: str, fid: int, kind: int, sfi: int, scw: int, length: int, size: int,
        read: bytes, write: bytes,
    ) -> None:  # fmt: skip
        data = bytes(3) + size.to_bytes(2, "big") + fid.to_bytes(2, "big")
        data += bytes((kind, 0x00, sfi, scw, length)) + read + write
        assert len(data) == 16
        self.command(f"CREATE {clause}", "80E00100", data)

    def _load_keys(self, directory: spec.Directory) -> None:
        """SF (11), then MK in plain, all others under class 84 (7)."""
        size = len(directory.keys) * (0x18 + 2) + 2
        self._create("SF (11, 15)", 0xEF80, 0xC3, 0x80, 0x00, 0x18, size, b"\xef\xef", b"\xef\xff")
        master = self._key(f"{directory.label}.MK")
        for slot in directory.keys:
            name, kind, kid = slot.split()
            if name == "MK":
                header = bytes.fromhex("00 00 01 EF 33 00 FF 10")
                self.command("WRITE KEY MK in plain (7)", "00D40100", header + master)
                continue
            header = _key_header(name, int(kind, 16), int(kid, 16))
            clause = f"WRITE KEY {name}: {header.hex(' ').upper()} (1, 7, 16)"
            if name == "PIN":
                key = bytes.fromhex(spec.PIN).ljust(16, b"\xff")
            else:
                key = self._key(f"{directory.label}.{name}")
            challenge = self.challenge()
            sealed = encrypt(master, pad(b"\x18" + header + key))
            assert len(sealed) == 0x20
            mac = retail_mac(master, bytes.fromhex("84D4000024") + sealed, challenge)
            self.command(clause, "84D40000", sealed + mac)

    def _files(self, directory: spec.Directory) -> None:
        for file in directory.files:
            self._create_file(directory, file)
        for file in directory.files:
            if file.kind != "variable":
                continue
            sfi = file.fid & 0x1F
            made = enumerate(records(directory.label, file, self._all_values()), start=1)
            for number, record in made:
                clause = f"EF{file.fid & 0xFF:02X} record {number}: tag {record[0]:02X} (10)"
                self.command(clause, f"00DC{number:02X}{sfi << 3 | 4:02X}", record)

    def _create_file(self, directory: spec.Directory, file: spec.File) -> None:
        kind, length = {
            "variable": (0xC6, 0xFF), "transparent": (0xC4, 0x00), "purse": (0xC3, 0x00),
            "cyclic": (0xC7, cyclic(file)[1] if file.kind == "cyclic" else 0),
        }[file.kind]  # fmt: skip
        sfi = 0x81 if file.kind == "purse" else file.fid & 0x1F
        (read, read_and), (write, write_and) = _condition(file.read), _condition(file.update)
        rights = f"read {file.read}, update {file.update}"
        clause = f"{directory.label} EF{file.fid & 0xFF:02X}: {rights} (2, 5)"
        scw = read_and << 4 | write_and
        self._create(clause, file.fid, kind, sfi, scw, length, space(file), read, write)

    def _all_values(self) -> dict[str, str]:
        """The row, and the id code with its MAC (card.md 5.6)."""
        head = bytes.fromhex("639900D156000005") + spec.SERIAL[2:]
        mac = retail_mac(self._key("SSSE.IRK"), head, bytes(8))
        return self._values | {"SSSE.EF05.01": (head + mac).hex()}

    def _select(self, directory: spec.Directory) -> None:
        answer = self._fci(directory)
        self.collected(f"SELECT {directory.label} (12)", "00A40400", directory.name, answer)

    def _fci(self, directory: spec.Directory) -> bytes:
        """(12): 6F{84 name, A5{88 01 SFI of DIR, 9F0C{86 01 algorithm}}}, 88 once there is DIR."""
        written = directory.label in self._fci_written and directory.children
        own = bytes.fromhex("88011E" if written else "") + bytes.fromhex("9F0C03860101")
        name = bytes((0x84, len(directory.name))) + directory.name
        body = name + bytes((0xA5, len(own))) + own
        return bytes((0x6F, len(body))) + body

    def _fci_record(self, directory: spec.Directory) -> bytes:
        """70 L FID L 6F L 84 L AID [A5 03 88 01 1E]."""
        name = bytes((0x84, len(directory.name))) + directory.name
        inner = name + bytes.fromhex("A50388011E" if directory.children else "")
        template = bytes((0x6F, len(inner))) + inner
        body = directory.fid.to_bytes(2, "big") + bytes((len(template),)) + template
        return bytes((0x70, len(body))) + body

    def _end_of_pre_issue(self) -> None:
        """80 E0 02 00 00 in every ADF, DDF and the MF."""
        for directory in reversed(spec.DIRECTORIES):
            if directory.label != "DF04":  # the last one made is still current
                self._select(directory)
            self.command(f"end of pre-issue in {directory.label}", "80E0020000")

    def _check(self) -> None:
        """The new ATR (9), INTERNAL AUTHENTICATE (card.md 5.5), every item read back once."""
        self.reset("ATR after the next reset (9)", spec.ATR_HEAD + spec.SERIAL)
        ssse = _directory("SSSE")
        self._select(ssse)
        line, sent, told = self._exchange("INTERNAL AUTHENTICATE under IRK (6)")
        self._same(line, "INTERNAL AUTHENTICATE (6)", sent[:5], "0088000010")
        self._same(line, "INTERNAL AUTHENTICATE, answer", told, "6108")
        proof = process(self._key("SSSE.IRK"), sent[5:13], sent[13:])
        self.command("GET RESPONSE: DES_SK(data)", "00C0000008", answer=proof.hex() + _OK)
        values = self._all_values()
        for file in ssse.files[:2]:
            for record in records("SSSE", file, values):
                self._read_by_tag(file, record)
        self._read_supplied(values)

    def _read_by_tag(self, file: spec.File, record: bytes) -> None:
        header = f"00B2{record[0]:02X}{(file.fid & 0x1F) << 3:02X}{len(record):02X}"
        clause = f"READ RECORD EF{file.fid & 0xFF:02X} tag {record[0]:02X}"
        self.command(clause, header, answer=record.hex() + _OK)

    def _read_supplied(self, values: dict[str, str]) -> None:
        """The items of DF01-DF04 that the row has, each directory opened once."""
        for directory in spec.DIRECTORIES[2:]:
            self._select(directory)
            opened: set[str] = set()
            for file in directory.files:
                if file.kind == "variable":
                    self._read_filled(directory, file, values, opened)

    def _read_filled(
        self, directory: spec.Directory, file: spec.File, values: dict[str, str], opened: set[str]
    ) -> None:
        empty = list(records(directory.label, file, {}))
        tags = [record[0] for record in empty]
        made = records(directory.label, file, values)
        for number, (record, blank) in enumerate(zip(made, empty, strict=True), start=1):
            if record == blank:
                continue
            self._open(directory, file.read, opened)
            if tags.count(record[0]) == 1:
                self._read_by_tag(file, record)
            else:  # a template that occurs several times goes by its number (card.md 2.2)
                header = f"00B2{number:02X}{(file.fid & 0x1F) << 3 | 4:02X}{len(record):02X}"
                clause = f"READ RECORD EF{file.fid & 0xFF:02X} number {number}"
                self.command(clause, header, answer=record.hex() + _OK)

    def _open(self, directory: spec.Directory, condition: str, opened: set[str]) -> None:
        """EXTERNAL AUTHENTICATE (card.md 5.5) and VERIFY as the condition asks for, each once."""
        operator, kid = condition[3:4], condition[4:]
        if operator == "|" and opened & {"PIN", kid}:
            return
        if kid not in opened:
            name = next(k.split()[0] for k in directory.keys if k.endswith(f"0D {kid}"))
            challenge = self.challenge()
            proof = process(self._key(f"{directory.label}.{name}"), challenge, challenge)
            self.command(f"{name} authentication (4, 5)", f"008200{kid}", proof + challenge)
        if operator == "&" and "PIN" not in opened:
            self.command("VERIFY (3)", "00200000", bytes.fromhex(spec.PIN))
            opened.add("PIN")
        opened.add(kid)


def _directory(label: str) -> spec.Directory:
    return next(d for d in spec.DIRECTORIES if d.label == label)


def _dir_record(directory: spec.Directory) -> bytes:
    """70 L 61 L 4F L AID 50 L label."""
    label = directory.label.encode()
    inner = bytes((0x4F, len(directory.name))) + directory.name + bytes((0x50, len(label))) + label
    return bytes((0x70, len(inner) + 2, 0x61, len(inner))) + inner


def _key_header(name: str, kind: int, kid: int) -> bytes:
    """Type, id, version, EF, 33, algorithm, level, length (1, 7); PIN: PUK level 06, level 01."""
    pin = name == "PIN"
    level = {0x01: _PIN_LEVEL, 0x0D: kid}.get(kind, _FREE)
    length = len(bytes.fromhex(spec.PIN)) if pin else 0x10
    return bytes((kind, kid, 0x01, 0xEF, 0x33, 0x06 if pin else 0x00, level, length))


def _condition(text: str) -> tuple[bytes, int]:
    """Two levels and the AND nibble (2): parent, own; "or never" for a single one."""
    if text == "free":
        return bytes((_FREE, _FREE)), 0
    if text == "never":
        return bytes((_NEVER, _NEVER)), 0
    if text == "PIN":
        return bytes((_PIN_LEVEL, _NEVER)), 0
    if text.startswith("PIN"):
        return bytes((_PIN_LEVEL, int(text[4:], 16))), 4 if text[3] == "&" else 0
    return bytes((_NEVER, int(text, 16))), 0
