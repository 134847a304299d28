"""What goes over the wire to a PSAM, byte for byte as working terminals send it."""

from __future__ import annotations

import pytest

from cardkit.apdu.link import chain
from cardkit.card import psam
from cardkit.card.psam import DES, SM4, SSF33, Environment, PsamKey
from cardkit.crypto.algorithm import Algorithm

CARD = bytes.fromhex("86843716008F3D97")
CITY = bytes.fromhex("3337313730307378")  # "371700sx"
PROVINCE = bytes.fromhex("3337303030307368")  # "370000sh"
R8 = bytes.fromhex("A1B2C3D4E5F60718")
D8 = bytes.fromhex("1122334455667788")


class Script:
    """A chip that answers what it is told and remembers every byte that came."""

    atr = bytes.fromhex("3B6D00000081544C0086840807230005C0")

    def __init__(self, answers: dict[str, str]) -> None:
        self.sent: list[str] = []
        self._answers = {bytes.fromhex(k): bytes.fromhex(v) for k, v in answers.items()}

    def reset(self) -> bytes:
        return self.atr

    def transmit(self, apdu: bytes) -> bytes:
        self.sent.append(apdu.hex().upper())
        found = (answer for start, answer in self._answers.items() if apdu.startswith(start))
        return next(found, b"\x90\x00")


def exchange(script: Script, environment: Environment, key: PsamKey, data: bytes) -> bytes:
    """Select, derive for the card of the examples, compute: a whole authentication."""
    link = chain(script)
    psam.perform(psam.select(environment), link)
    factors = [CARD, CITY, PROVINCE][: key.levels]
    made = psam.authentication_data(environment, key, factors, R8, data)
    return psam.perform(made, link)


def test_read_with_a_des_psam() -> None:
    """Bank record in Shandong: RKEF0C, two levels."""
    script = Script({"80FA": "6108", "00C0": "0102030405060708 9000"})

    proof = exchange(script, DES, PsamKey(0x48, 0x5D), D8)

    assert script.sent == [
        "00A4040006D15600000590",
        "BFDE485D18" + "86843716008F3D97" + "3337313730307378" + "A1B2C3D4E5F60718",
        "80FA0000081122334455667788",
        "00C0000008",
    ]
    assert proof.hex() == "0102030405060708"


def test_write_with_a_des_psam() -> None:
    """UKSSSE; the source is the challenge again."""
    script = Script({"80FA": "6108", "00C0": "0102030405060708 9000"})

    exchange(script, DES, PsamKey(0x48, 0x12), R8)

    assert script.sent[1:] == [
        "BFDE481218" + "86843716008F3D97" + "3337313730307378" + "A1B2C3D4E5F60718",
        "80FA000008" + "A1B2C3D4E5F60718",
        "00C0000008",
    ]


def test_write_with_an_sm4_psam() -> None:
    """Process factor and source are filled to 16 bytes; the halves of the answer are XORed."""
    script = Script(
        {"00A4000002DF01": "610A", "00C000000A": "6F088406D15600000590 9000",
         "80FA": "6110", "00C0000010": "46C3C96689283B7BC8E9969333471B5F 9000"}
    )  # fmt: skip

    proof = exchange(script, SM4, PsamKey(0x48, 0x12), R8)

    assert script.sent == [
        "00A404000F7378332E73682EC9E7BBE1B1A3D5CF",
        "00A4000002DF01",
        "00C000000A",
        "BFDE481220" + "86843716008F3D97" + "3337313730307378" + "A1B2C3D4E5F607180000000000000000",
        "80FA000010" + "A1B2C3D4E5F607180000000000000000",
        "00C0000010",
    ]
    assert proof.hex().upper() == "8E2A5FF5BA6F2024"


def test_second_write_key_of_sm4_and_the_health_card_differ_in_usage_and_id_only() -> None:
    script = Script({"80FA": "6110", "00C0000010": "00" * 16 + "9000"})

    exchange(script, SM4, PsamKey(0x48, 0x13), R8)
    exchange(script, SM4, PsamKey(0x47, 0x31), D8)

    derived = [sent for sent in script.sent if sent.startswith("BFDE")]
    assert derived[0].startswith("BFDE481320")
    assert derived[1].startswith("BFDE473120")
    # The health card's line has 18 (hex) with a process factor of 8 bytes and class 80: another COS
    # of the family. Its source is that of SM4:
    assert "80FA00001011223344556677880000000000000000" in script.sent


@pytest.mark.parametrize(
    ("environment", "lengths"), [(DES, ["10", "18", "20"]), (SM4, ["18", "20", "28"])], ids=str
)
def test_lc_follows_levels_and_cipher(environment: Environment, lengths: list[str]) -> None:
    """8 bytes a level and 8 (DES) or 16 (SM4) of process factor."""
    for usage, length in zip((0x28, 0x48, 0x67), lengths, strict=True):
        script = Script({})
        key = PsamKey(usage, 0x0B)
        factors = [CARD, CITY, PROVINCE][: key.levels]
        psam.perform(psam.derive(environment, key, factors, R8), script)
        assert script.sent[0][:10] == f"BFDE{usage:02X}0B{length}"
        sent = "".join(f.hex().upper() for f in factors)
        assert script.sent[0][10:].startswith(sent + R8.hex().upper())


def test_ssf33_has_an_environment_of_its_own() -> None:
    script = Script({})
    psam.perform(psam.select(SSF33), chain(script))
    assert script.sent == ["00A404000F7378322E73682EC9E7BBE1B1A3D5CF", "00A4000002DF01"]
    assert psam.environment_for(Algorithm.SSF33) is SSF33


def test_a_mac_takes_the_vector_first_and_several_commands_when_it_is_long() -> None:
    script = Script({"80FA05": "6104", "80FA01": "6104", "00C0000004": "DEADBEEF 9000"})
    link = chain(script)

    short = psam.perform(psam.mac(DES, R8, bytes(16)), link)
    long = psam.perform(psam.mac(DES, R8, bytes(0x200)), link)

    assert short == long == bytes.fromhex("DEADBEEF")
    heads = [sent[:10] for sent in script.sent]
    assert heads == [
        "80FA050018", "00C0000004", "80FA0700F0", "80FA0300F0", "80FA010028", "00C0000004",
    ]  # fmt: skip
    assert script.sent[0] == "80FA050018" + R8.hex().upper() + "00" * 16


def test_the_terminal_number_is_read_from_the_mf() -> None:
    script = Script({"00B0960006": "410100813475 9000"})
    assert psam.perform(psam.terminal_number(), chain(script)) == "410100813475"
    assert script.sent == ["00A40000023F00", "00B0960006"]


def test_factors_of_another_number_or_length_are_refused_before_anything_is_sent() -> None:
    script = Script({})
    for factors in ([CARD], [CARD, CITY, PROVINCE], [CARD, CITY[:7]]):
        with pytest.raises(ValueError, match="takes 2 factors of 8 bytes"):
            psam.perform(psam.derive(DES, PsamKey(0x48, 0x12), factors, R8), script)
    assert script.sent == []
