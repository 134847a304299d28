"""SM2 signatures and encryption (GM/T 0003, GB/T 32918) through the package gmalg.

gmalg computes in Python: about 70 signatures a second, and not in constant time. It serves tests,
self-test and single operations; keys that matter sign in a card or an HSM.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from enum import Enum
from typing import Any

from cardkit.crypto import sm3

DEFAULT_ID = b"1234567812345678"
"""User id where the parties agreed on none (GM/T 0009 clause 10)."""

_SIZE = 32


class Curve(Enum):
    """A curve over a prime field of 256 bits: p, a, b, x and y of the base point, order."""

    SM2P256V1 = (
        "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF",
        "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC",
        "28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93",
        "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7",
        "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0",
        "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123",
    )
    """The curve to use (GM/T 0003.5)."""

    EXAMPLE = (
        "8542D69E4C044F18E8B92435BF6FF7DE457283915C45517D722EDB8B08F1DFC3",
        "787968B4FA32C3FD2417842E73BBFEFF2F3C848B6831D7E0EC65228B3937E498",
        "63E4C6D3B23B0C849CF84241484BFE48F61D59A5B16BA06E6E12D1DA27C5249A",
        "421DEBD61B62EAB6746434EBC3CC315E32220B3BADD50BDC4C4E6C147FEDD43D",
        "0680512BCBB42C07D47349D2153B70C4E5D7FDFCBFA36EA1A85841B9E46E09A2",
        "8542D69E4C044F18E8B92435BF6FF7DD297720630485628D5AE74EE7C32E79B7",
    )
    """The curve of the examples in GM/T 0003.2; for known answers only."""

    @property
    def parameters(self) -> tuple[int, int, int, int, int, int]:
        """The six numbers."""
        p, a, b, x, y, n = (int(number, 16) for number in self.value)
        return p, a, b, x, y, n

    @property
    def order(self) -> int:
        """Order of the base point."""
        return self.parameters[5]


def public_key(private: bytes, curve: Curve = Curve.SM2P256V1) -> bytes:
    """Public key, 64 bytes X ‖ Y, of a private key of 32 bytes.

    Examples
    --------
    >>> public_key((1).to_bytes(32)).hex()[:16]
    '32c4ae2c1f198119'
    """
    return _point_bytes(_core(curve).generate_pk(_private(private, curve)))


def user_digest(public: bytes, user_id: bytes, curve: Curve = Curve.SM2P256V1) -> bytes:
    """ZA, 32 bytes: hash of user id, curve and public key (GM/T 0003.2 clause 5.5)."""
    if len(user_id) >= 1 << 13:
        raise ValueError("a user id has less than 8192 bytes")
    p_a_b_x_y = curve.parameters[1:5]
    numbers = b"".join(number.to_bytes(_SIZE) for number in p_a_b_x_y)
    return sm3.digest((8 * len(user_id)).to_bytes(2) + user_id + numbers + public)


def message_digest(
    public: bytes, user_id: bytes, message: bytes, curve: Curve = Curve.SM2P256V1
) -> bytes:
    """The value that is signed, 32 bytes: SM3(ZA ‖ message)."""
    return sm3.digest(user_digest(public, user_id, curve) + message)


def sign(private: bytes, message: bytes, user_id: bytes = DEFAULT_ID) -> bytes:
    """Signature, 64 bytes r ‖ s, with a nonce of the system's random numbers.

    Examples
    --------
    >>> key = (7).to_bytes(32)
    >>> verify(public_key(key), b"message", sign(key, b"message"))
    True
    """
    return _sign(_core(Curve.SM2P256V1), _private(private, Curve.SM2P256V1), message, user_id)


def sign_known(
    private: bytes, message: bytes, user_id: bytes, nonce: bytes, curve: Curve = Curve.SM2P256V1
) -> bytes:
    """`sign` with a given nonce, for known answers only: a nonce used twice gives the key away."""
    core = _core(curve, _once(nonce, curve))
    return _sign(core, _private(private, curve), message, user_id)


def verify(public: bytes, message: bytes, signature: bytes, user_id: bytes = DEFAULT_ID) -> bool:
    """Whether a signature of 64 bytes fits; a point off the curve fits nothing."""
    if len(signature) != 2 * _SIZE:
        return False
    r, s = int.from_bytes(signature[:_SIZE]), int.from_bytes(signature[_SIZE:])
    try:
        point = _point(public, Curve.SM2P256V1)
    except ValueError:
        return False
    return bool(_core(Curve.SM2P256V1).verify(message, r, s, user_id, point))


def encrypt(public: bytes, plain: bytes) -> bytes:
    """Cipher text C1 ‖ C3 ‖ C2: point after 04 (65 bytes), hash (32), as long as ``plain``.

    Examples
    --------
    >>> key = (7).to_bytes(32)
    >>> decrypt(key, encrypt(public_key(key), b"secret"))
    b'secret'
    """
    return _encrypt(_core(Curve.SM2P256V1), public, plain)


def encrypt_known(public: bytes, plain: bytes, nonce: bytes) -> bytes:
    """`encrypt` with a given nonce, for known answers only."""
    return _encrypt(_core(Curve.SM2P256V1, _once(nonce, Curve.SM2P256V1)), public, plain)


def decrypt(private: bytes, cipher: bytes) -> bytes:
    """Plain text of C1 ‖ C3 ‖ C2.

    Raises
    ------
    ValueError
        Not made for this key, or changed on the way.
    """
    head = 1 + 2 * _SIZE
    c1, c3, c2 = cipher[:head], cipher[head : head + _SIZE], cipher[head + _SIZE :]
    if not c2 or c1[0] != 4:
        raise ValueError("a cipher text is 04 ‖ point ‖ hash ‖ data")
    curve = Curve.SM2P256V1
    from gmalg.errors import GMError  # noqa: PLC0415 - see _core

    try:
        plain = _core(curve).decrypt(_point(c1[1:], curve), c2, c3, _private(private, curve))
    except GMError:
        raise ValueError("the cipher text does not fit the key") from None
    return bytes(plain)


def _sign(core: Any, private: int, message: bytes, user_id: bytes) -> bytes:  # noqa: ANN401
    r, s = core.sign(message, private, user_id)
    return bytes(r.to_bytes(_SIZE) + s.to_bytes(_SIZE))


def _encrypt(core: Any, public: bytes, plain: bytes) -> bytes:  # noqa: ANN401
    if not plain:
        raise ValueError("nothing to encrypt")
    c1, c2, c3 = core.encrypt(plain, _point(public, Curve.SM2P256V1))
    return bytes(b"\x04" + _point_bytes(c1) + c3 + c2)


def _core(curve: Curve, random: Callable[[int], int] | None = None) -> Any:  # noqa: ANN401
    # The only import of gmalg: late, because it is needed seldom.
    from gmalg.sm2 import SM2Core  # noqa: PLC0415
    from gmalg.sm3 import SM3  # noqa: PLC0415

    return SM2Core(_problem(curve), SM3(), random)


@functools.cache
def _problem(curve: Curve) -> Any:  # noqa: ANN401
    from gmalg.ellipticcurve import ECDLP  # noqa: PLC0415

    p, a, b, x, y, n = curve.parameters
    return ECDLP(p, a, b, (x, y), n)


def _once(nonce: bytes, curve: Curve) -> Callable[[int], int]:
    # gmalg asks again and again for a number in range: a fixed one has to be right at once.
    number = int.from_bytes(nonce)
    if len(nonce) != _SIZE or not 1 <= number < curve.order:
        raise ValueError("a nonce has 32 bytes and is below the order of the curve")
    numbers = [number]

    def random(_bits: int) -> int:
        if not numbers:
            raise ValueError("this nonce cannot be used")
        return numbers.pop()

    return random


def _private(private: bytes, curve: Curve) -> int:
    number = int.from_bytes(private)
    if len(private) != _SIZE or not 1 <= number < curve.order - 1:
        raise ValueError("a private key has 32 bytes and is below the order of the curve")
    return number


def _point(public: bytes, curve: Curve) -> tuple[int, int]:
    x, y = int.from_bytes(public[:_SIZE]), int.from_bytes(public[_SIZE:])
    p = curve.parameters[0]
    if len(public) != 2 * _SIZE or max(x, y) >= p or not _problem(curve).ec.isvalid((x, y)):
        raise ValueError("a public key is 64 bytes, a point of the curve")
    return x, y


def _point_bytes(point: tuple[int, int]) -> bytes:
    x, y = point
    return x.to_bytes(_SIZE) + y.to_bytes(_SIZE)
