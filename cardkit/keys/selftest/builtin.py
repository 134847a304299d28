"""The vectors that are part of the program: those others have published, and our own."""

from __future__ import annotations

import functools
import importlib.resources

from cardkit.keys.selftest.vector import Vector, parse

PUBLISHED = "published.json"
"""Printed by a standard, a manual or public code, and recomputed."""

COMPUTED = "computed.json"
"""Worked out from the rules: these show that the program agrees with itself and with the rule."""


@functools.cache
def vectors(file: str) -> tuple[Vector, ...]:
    """Vectors of `PUBLISHED` or `COMPUTED`."""
    folder = importlib.resources.files("cardkit.keys.selftest") / "vectors"
    return tuple(parse((folder / file).read_bytes()))


def every_vector() -> tuple[Vector, ...]:
    """All of them."""
    return vectors(PUBLISHED) + vectors(COMPUTED)


@functools.cache
def _by_name() -> dict[str, Vector]:
    return {vector.name: vector for vector in every_vector()}


def namesake(vector: Vector) -> Vector | None:
    """The built-in vector of the same name, if there is one."""
    return _by_name().get(vector.name)


def complete(vector: Vector) -> Vector | None:
    """A vector of which a file prints a part only, with the rest from the built-in one.

    Returns
    -------
    Vector or None
        None when there is no such vector, or the file gives what this one does not know.
    """
    whole = namesake(vector)
    if whole is None or whole.shorthand is None:
        return None
    short = {name for name in vector.inputs if name in whole.shorthand}
    if any(vector.inputs[name] != whole.shorthand[name] for name in short):
        return None
    given = {name: value for name, value in vector.inputs.items() if name not in short}
    if not set(given) <= set(whole.inputs):
        return None
    merged = {**whole.inputs, **given}
    return Vector(vector.name, vector.alg, merged, vector.output, vector.source)
