"""Algorithms by name, and the one that is secret."""

from __future__ import annotations

import pytest

from cardkit.crypto import secure_messaging
from cardkit.crypto.algorithm import Algorithm, SecretAlgorithmError, cipher_of
from cardkit.crypto.secure_messaging import Rules
from cardkit.errors import ExitCode


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_card_names_its_algorithm_by_a_byte(algorithm: Algorithm) -> None:
    assert Algorithm.of_card(algorithm.card_id) is algorithm


def test_other_bytes_are_no_algorithm() -> None:
    with pytest.raises(ValueError, match="04"):
        Algorithm.of_card(4)


def test_ssf33_is_refused_with_what_to_do() -> None:
    with pytest.raises(SecretAlgorithmError) as caught:
        cipher_of(Algorithm.SSF33)
    error = caught.value
    assert error.exit_code is ExitCode.USAGE
    assert "PSAM" in error.line()
    assert "HSM" in error.line()
    assert "加密机" in error.line("zh")


def test_secure_messaging_with_ssf33_says_so() -> None:
    rules = Rules(Algorithm.SSF33)
    with pytest.raises(SecretAlgorithmError):
        secure_messaging.protect(
            bytes(16), bytes.fromhex("84D40100"), b"", bytes(8), rules, encrypt=True
        )


def test_ciphers_go_back_and_forth() -> None:
    for algorithm in (Algorithm.TDES, Algorithm.SM4):
        cipher = cipher_of(algorithm)
        data = bytes(range(2 * cipher.block))
        assert cipher.decrypt_ecb(bytes(16), cipher.encrypt_ecb(bytes(16), data)) == data
