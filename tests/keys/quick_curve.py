"""Multiplication of points in Jacobian coordinates, for tests that sign thousands of times.

gmalg works in affine coordinates and inverts at every step. `use` puts this in its place;
`test_selftest.py` compares the two.
"""

from __future__ import annotations

from typing import Any

import pytest
from gmalg.ellipticcurve import EllipticCurve

Point = tuple[int, int, int]


def use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let gmalg multiply as this module does."""
    monkeypatch.setattr(EllipticCurve, "mul", multiply)


def multiply(curve: Any, k: int, point: tuple[int, int]) -> Any:
    """``k`` times a point."""
    p, a = curve._fp.p, curve.a
    result: Point = (1, 1, 0)
    for bit in f"{k:b}":
        result = _double(result, p, a)
        if bit == "1":
            result = _add(result, point, p, a)
    x, y, z = result
    if not z:
        return curve.INF
    inverse = pow(z, -1, p)
    return x * inverse**2 % p, y * inverse**3 % p


def _double(point: Point, p: int, a: int) -> Point:
    x, y, z = point
    if not z or not y:
        return 1, 1, 0
    s = 4 * x * y * y % p
    m = (3 * x * x + a * z**4) % p
    x3 = (m * m - 2 * s) % p
    return x3, (m * (s - x3) - 8 * y**4) % p, 2 * y * z % p


def _add(point: Point, affine: tuple[int, int], p: int, a: int) -> Point:
    x1, y1, z1 = point
    if not z1:
        return (*affine, 1)
    u2, s2 = affine[0] * z1 * z1 % p, affine[1] * z1**3 % p
    h, r = (u2 - x1) % p, (s2 - y1) % p
    if not h:
        return (1, 1, 0) if r else _double(point, p, a)
    x3 = (r * r - h**3 - 2 * x1 * h * h) % p
    return x3, (r * (x1 * h * h - x3) - y1 * h**3) % p, h * z1 % p
