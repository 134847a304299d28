"""SM2: what is signed or encrypted holds, and nothing else does."""

from __future__ import annotations

import pytest

from cardkit.crypto import sm2

PRIVATE = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
PUBLIC = sm2.public_key(PRIVATE)


def test_a_signature_holds_for_its_message_key_and_user_only() -> None:
    signature = sm2.sign(PRIVATE, b"message", b"user")
    assert sm2.verify(PUBLIC, b"message", signature, b"user")
    assert not sm2.verify(PUBLIC, b"messagf", signature, b"user")
    assert not sm2.verify(PUBLIC, b"message", signature, b"usfr")
    assert not sm2.verify(sm2.public_key(bytes(31) + b"\x02"), b"message", signature, b"user")
    assert not sm2.verify(PUBLIC, b"message", signature[:-1], b"user")
    assert not sm2.verify(PUBLIC, b"message", bytes(64), b"user")


def test_two_signatures_of_one_message_differ() -> None:
    assert sm2.sign(PRIVATE, b"message") != sm2.sign(PRIVATE, b"message")


def test_a_public_key_off_the_curve_is_refused() -> None:
    crooked = PUBLIC[:-1] + bytes((PUBLIC[-1] ^ 1,))
    assert not sm2.verify(crooked, b"message", sm2.sign(PRIVATE, b"message"))
    for public in (crooked, PUBLIC[:-1], b"\xff" * 64):
        with pytest.raises(ValueError, match="point of the curve"):
            sm2.encrypt(public, b"plain")


def test_a_cipher_text_opens_with_its_key_and_unchanged_only() -> None:
    cipher = sm2.encrypt(PUBLIC, b"plain text")
    assert sm2.decrypt(PRIVATE, cipher) == b"plain text"
    for at in (70, len(cipher) - 1):  # hash and data
        changed = cipher[:at] + bytes((cipher[at] ^ 1,)) + cipher[at + 1 :]
        with pytest.raises(ValueError, match="does not fit"):
            sm2.decrypt(PRIVATE, changed)
    with pytest.raises(ValueError, match="does not fit"):
        sm2.decrypt(bytes(31) + b"\x02", cipher)
    for broken in (b"", cipher[:97], b"\x02" + cipher[1:]):
        with pytest.raises(ValueError, match="cipher text is"):
            sm2.decrypt(PRIVATE, broken)


@pytest.mark.parametrize("private", [b"", bytes(32), b"\xff" * 32, bytes(31)])
def test_numbers_out_of_range_are_refused(private: bytes) -> None:
    with pytest.raises(ValueError, match="private key"):
        sm2.public_key(private)
    with pytest.raises(ValueError, match="nonce"):
        sm2.sign_known(PRIVATE, b"message", b"user", private)


def test_nothing_cannot_be_encrypted_and_a_user_id_is_short() -> None:
    with pytest.raises(ValueError, match="nothing"):
        sm2.encrypt(PUBLIC, b"")
    with pytest.raises(ValueError, match="8192"):
        sm2.user_digest(PUBLIC, bytes(8192))
