"""A bench to make virtual cards with bare bytes, and the cards most tests start from.

Nothing here uses the packages that talk to cards: commands are written out, as the golden side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from cardkit.crypto.des import encrypt_ecb
from cardkit.crypto.mac import cbc_mac, retail_mac
from cardkit.crypto.padding import method2, method2_if_needed
from cardkit.virtual.card import VirtualCard

TRANSPORT = bytes.fromhex("0011223344556677")
SSSE = "7378312E73682EC9E7BBE1B1A3D5CF"
DF01 = "D15600000500"
FREE, NEVER = "0000", "EFEF"


def key(name: str) -> bytes:
    """A key that is told from every other by its name."""
    return hashlib.sha256(name.encode()).digest()[:16]


def counted_random() -> Callable[[int], bytes]:
    """Random bytes that are the same in every run."""

    def endless() -> Iterator[int]:
        n = 0
        while True:
            n += 1
            yield from hashlib.sha256(n.to_bytes(4, "big")).digest()

    stream = endless()
    return lambda length: bytes(next(stream) for _ in range(length))


def key_header(kind: int, kid: int, level: int, *, count: int = 0x33, change: int = 0xEF) -> bytes:
    """Type, id, version 01, change level, error count, 3DES, level, length 16."""
    return bytes((kind, kid, 0x01, change, count, 0x00, level, 0x10))


def pin_record(pin: str, *, count: int = 0x33) -> bytes:
    """Header and value of the PIN: id 00, level 01, PUK level 06."""
    value = bytes.fromhex(pin).ljust(16, b"\xff")
    return bytes((0x01, 0x00, 0x01, 0xEF, count, 0x06, 0x01, 0x10)) + value


@dataclass
class Workbench:
    """One card under test, and the few things done to it all the time."""

    card: VirtualCard

    def send(self, command: str | bytes) -> str:
        """Answer in hex, nothing completed."""
        apdu = bytes.fromhex(command) if isinstance(command, str) else command
        return self.card.transmit(apdu).hex().upper()

    def ask(self, command: str | bytes) -> str:
        """Answer in hex, 61xx completed with one GET RESPONSE."""
        answer = self.send(command)
        waiting = len(answer) == 4 and answer[:2] == "61"
        return self.send(f"00C00000{answer[2:]}") if waiting else answer

    def ok(self, command: str | bytes) -> str:
        """Data of an answer that must be 9000."""
        answer = self.ask(command)
        shown = command if isinstance(command, str) else command.hex().upper()
        assert answer[-4:] == "9000", f"{shown[:10]}... answers {answer}"
        return answer[:-4]

    def challenge(self, length: int = 8) -> bytes:
        """GET CHALLENGE."""
        return bytes.fromhex(self.ok(f"00840000{length:02X}"))

    def external_command(self, kid: int, secret: bytes) -> bytes:
        """EXTERNAL AUTHENTICATE under a fresh challenge."""
        data = bytes.fromhex("0102030405060708")
        proof = encrypt_ecb(encrypt_ecb(secret, self.challenge()), data)
        return bytes((0x00, 0x82, 0x00, kid, 0x10)) + proof + data

    def external(self, kid: int, secret: bytes) -> str:
        """GET CHALLENGE and EXTERNAL AUTHENTICATE; the answer of the latter."""
        return self.send(self.external_command(kid, secret))

    @staticmethod
    def key(name: str) -> bytes:
        """The secret of a key by the name it was made from."""
        return key(name)

    @staticmethod
    def made(answer: str) -> None:
        """The answer of a creating command must be 9000."""
        assert answer == "9000", answer

    def open(self, kid: int, secret: bytes) -> None:
        """EXTERNAL AUTHENTICATE that must work."""
        assert self.external(kid, secret) == "9000"

    def secured(
        self,
        header: str,
        stk: bytes,
        data: bytes = b"",
        *,
        encrypt: bool = False,
        process: bool = True,
    ) -> bytes:
        """A command with MAC (CLA INS P1 P2 given), under a fresh challenge."""
        iv = self.challenge()
        session = encrypt_ecb(stk, iv) if process else stk
        if encrypt:
            field_ = bytes((len(data),)) + data
            data = encrypt_ecb(session, method2_if_needed(field_))
        head = bytes.fromhex(header) + bytes((len(data) + 4,))
        rule = cbc_mac if process else retail_mac
        return head + data + rule(session, method2(head + data), iv)[:4]

    def write_key(self, master: bytes, record: bytes, *, p1: int = 0) -> str:
        """WRITE KEY with class 84 under a master key; its answer."""
        header = f"84D4{p1:02X}00"
        return self.send(self.secured(header, master, record, encrypt=True, process=False))

    def first_master(self, name: str, *, count: int = 0x33) -> bytes:
        """The first master key of the current directory file, in plain."""
        secret = key(name)
        self.ok(bytes.fromhex("00D4010018") + key_header(0x00, 0x00, 0xFF, count=count) + secret)
        return secret

    def create(
        self, fid: str, kind: str, sfi: str, space: int, length: str, read: str, write: str,
        scw: str = "00",
    ) -> str:  # fmt: skip
        """CREATE of an elementary file; its answer."""
        data = f"000000{space:04X}{fid}{kind}00{sfi}{scw}{length}{read}{write}"
        return self.send(f"80E0010010{data}")

    def create_directory(self, fid: str, kind: str, name: str, lock: str = "EF") -> str:
        """CREATE of a directory file; its answer."""
        last = "01" if fid == "3F00" else "00"
        data = f"00{lock}00FF01{fid}{kind}00{last}230000800081{name}"
        return self.send(f"80E00100{len(data) // 2:02X}{data}")

    def transport(self) -> None:
        """Present the transport key."""
        self.ok(b"\x80\xe0\x03\x00\x08" + TRANSPORT)


def new_bench() -> Workbench:
    """A blank card under power."""
    card = VirtualCard.blank(transport_key=TRANSPORT, random=counted_random())
    card.power_on()
    return Workbench(card)


def _make_mf(bench: Workbench) -> None:
    bench.made(bench.create_directory("3F00", "01", b"1PAY.SYS.DDF01".hex()))
    bench.made(bench.create("EF80", "C3", "80", 54, "18", NEVER, "EFFF"))
    bench.first_master("MF")
    bench.open(0, key("MF"))


def _make_ssse(bench: Workbench) -> None:
    bench.made(bench.create_directory("DDF1", "01", SSSE, lock="05"))
    bench.ok("00A4000002DDF1")
    bench.made(bench.create("EF80", "C3", "80", 10 * 26 + 2, "18", NEVER, "EFFF"))
    master = bench.first_master("SSSE")
    for kind, kid in ((0x0E, 0x00), (0x0D, 0x04), (0x0D, 0x05), (0x0D, 0x06), (0x0D, 0x0A)):
        name = f"SSSE {kind:02X}{kid:02X}"
        bench.made(bench.write_key(master, key_header(kind, kid, kid) + key(name)))
    bench.made(bench.write_key(master, key_header(0x07, 0x02, 0x02) + key("SSSE STK")))
    bench.made(bench.write_key(master, pin_record("123456")))
    bench.made(bench.create("EF1E", "D6", "1E", 60, "FF", FREE, "EFFF"))
    bench.made(bench.create("EF23", "C3", "23", 80, "FF", FREE, "EFFF"))
    bench.open(0, master)
    bench.made(bench.create("EF05", "C6", "05", 0x2F, "FF", FREE, "EF04"))
    bench.ok("00DC012C12 0110" + "00" * 16)
    bench.ok("00DC022C03 020133")
    bench.ok("00DC032C06 0304322E3030")
    bench.made(bench.create("EF06", "C6", "06", 100, "FF", "EF0A", "EF04"))
    bench.ok("00DC013414 0812" + "00" * 18)
    bench.made(bench.create("EF07", "C4", "07", 600, "00", "EF0A", "EF04"))


def _make_df01(bench: Workbench) -> None:
    bench.made(bench.create_directory("DF01", "02", DF01, lock="83"))
    bench.ok("00A4000002DF01")
    bench.made(bench.create("EF80", "C3", "80", 8 * 26 + 2, "18", NEVER, "EFFF"))
    master = bench.first_master("DF01")
    for kid in (0x83, 0x84, 0x85):
        name = f"DF01 0D{kid:02X}"
        bench.made(bench.write_key(master, key_header(0x0D, kid, kid) + key(name)))
    bench.made(bench.write_key(master, key_header(0x07, 0x82, 0x82) + key("DF01 STK")))
    bench.open(0, master)
    bench.made(bench.create("EF05", "C6", "05", 20, "FF", "0184", "EF85"))  # read PIN or RK
    bench.ok("00DC012C04 20024142")
    bench.made(bench.create("EF06", "C6", "06", 20, "FF", "0184", "EF85", scw="40"))  # PIN and RK
    bench.ok("00DC013404 21024344")
    bench.made(bench.create("EF07", "C7", "07", 3 * 5 + 2, "05", FREE, "EF85"))
    bench.made(bench.create("EF08", "C5", "08", 2 * 6 + 2, "04", FREE, "EF85"))
    bench.made(bench.create("EF09", "C6", "09", 20, "FF", FREE, NEVER))
    bench.ok("00DC014C03 900130")
    bench.made(bench.create("EF15", "C4", "15", 600, "00", FREE, "EF85"))
    bench.made(bench.create("EF81", "C3", "81", 100, "00", NEVER, NEVER))


def _end_everywhere(bench: Workbench) -> None:
    for select in (f"00A4040006{DF01}", f"00A404000F{SSSE}", "00A40000023F00"):
        bench.ok(select)
        bench.ok("80E0020000")


@pytest.fixture
def blank() -> Workbench:
    """A chip as it leaves the factory, transport key not yet presented."""
    return new_bench()


@pytest.fixture
def building() -> Workbench:
    """Structure and keys are there, pre-issue has not ended; DF01 is current, its MK presented."""
    bench = new_bench()
    bench.transport()
    _make_mf(bench)
    _make_ssse(bench)
    _make_df01(bench)
    return bench


@pytest.fixture
def issued(building: Workbench) -> Workbench:
    """A finished card after a fresh reset; the MF is current."""
    _end_everywhere(building)
    building.card.reset()
    return building


@pytest.fixture
def ssse(issued: Workbench) -> Workbench:
    """A finished card with SSSE selected."""
    issued.ok(f"00A404000F{SSSE}")
    return issued


@pytest.fixture
def df01(ssse: Workbench) -> Workbench:
    """A finished card with DF01 selected, by way of SSSE."""
    ssse.ok(f"00A4040006{DF01}")
    return ssse


@pytest.fixture
def ssse_open(ssse: Workbench) -> Workbench:
    """SSSE with its update key presented."""
    ssse.open(0x04, key("SSSE 0D04"))
    return ssse


@pytest.fixture
def df01_open(df01: Workbench) -> Workbench:
    """DF01 with its update key presented."""
    df01.open(0x85, key("DF01 0D85"))
    return df01


@pytest.fixture(scope="session")
def template() -> tuple[str, Callable[[VirtualCard], Workbench]]:
    """An image of a card in pre-issue, and how to make a bench for a card loaded from it."""
    bench = new_bench()
    bench.transport()
    _make_mf(bench)
    _make_ssse(bench)
    _make_df01(bench)
    return bench.card.snapshot(), Workbench
