"""What the algorithm of a card changes in its commands: 01 3DES, 02 SSF33, 03 SM4 (card.md 1, 5.5).

With 3DES the data field of EXTERNAL AUTHENTICATE is proof ‖ data, 16 bytes. With the two others the
version of the key follows, 17 bytes. Challenge, data and proof have 8 bytes each in all of them.
"""

from __future__ import annotations

from cardkit.codec import tlv
from cardkit.crypto.algorithm import Algorithm

KEY_VERSION = 0x01
"""Of keys on cards, unless a profile says another; also what working programs send to 3.0 cards."""

KEY_ALGORITHMS = {Algorithm.TDES: 0x00, Algorithm.SM4: 0x03}
"""Algorithm byte of key records: 00 is T514's for 3DES; 03 for SM4 is ours, as in PSAMs."""


def algorithm_named(fci: bytes) -> int:
    """Algorithm that a card names in its answer to SELECT of SSSE; 01 when it names none.

    Examples
    --------
    >>> algorithm_named(bytes.fromhex("6F0C8402DDF1A5069F0C03860103"))
    3
    >>> algorithm_named(bytes.fromhex("6F048402DDF1"))
    1
    """
    found = tlv.find_ber(fci, 0x6F, 0xA5, 0x9F0C, 0x86)
    return found[0] if found else Algorithm.TDES.card_id


def external_data(
    algorithm: Algorithm, proof: bytes, data: bytes, version: int = KEY_VERSION
) -> bytes:
    """Data field of EXTERNAL AUTHENTICATE: 16 bytes with 3DES, 17 with SM4 and SSF33.

    Parameters
    ----------
    proof, data : bytes
        8 bytes each.
    version : int
        Of the key on the card, 1 to 3.

    Examples
    --------
    >>> len(external_data(Algorithm.TDES, bytes(8), bytes(8)))
    16
    >>> external_data(Algorithm.SM4, bytes(8), bytes.fromhex("1122334455667788"), 2).hex()[16:]
    '112233445566778802'
    """
    if len(proof) != 8 or len(data) != 8:
        raise ValueError("proof and data have 8 bytes each")
    return proof + data + (b"" if algorithm is Algorithm.TDES else bytes((version,)))
