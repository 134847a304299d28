"""What a rule of the self-test is: an algorithm by name, its inputs by name, the function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

Value = str | int | list[str]
"""An input as it stands in a vector file."""


class Choices(dict[str, bytes]):
    """Answers of a rule whose vectors leave one thing open, each by the word for it.

    A vector of which one of the words is part of the name (``..._pad2``) must give that answer; one
    with none of them must give any.
    """


Answer = bytes | str | dict[str, bytes] | Choices


class Kind(Enum):
    """What an input is."""

    BYTES = "bytes"
    DES_KEY = "des"  # its parity bits do not count
    TEXT = "text"
    NUMBER = "number"
    COMMANDS = "commands"  # a list of strings of bytes


class ContradictionError(ValueError):
    """Inputs of one vector that do not go together."""


@dataclass(frozen=True, slots=True)
class Input:
    """An input of a rule."""

    name: str
    kind: Kind
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """Part of an input that a rule does not look at; no flipped bit there can be noticed.

    Parameters
    ----------
    name : str
        The input.
    places : slice or None
        Bytes or characters of it; None for the Le of commands.
    reason : str
        Why.
    bits : int
        Which bits of each byte.
    """

    name: str
    places: slice | None
    reason: str
    bits: int = 0xFF


@dataclass(frozen=True, slots=True)
class Rule:
    """An algorithm with vectors.

    Parameters
    ----------
    algorithm : str
        Its name in this project's vectors and documents.
    inputs : tuple of Input
        In the order in which ``compute`` takes them.
    compute : callable
        Raises ValueError for inputs it cannot use; gets None for an optional one that is missing.
    source : str
        Standard and clause, or what else the rule rests on.
    also : tuple of str
        Other names by which vector files call it.
    kept : tuple of int
        An answer may be its first so many bytes; empty for the whole.
    des_result : bool
        The answer is a DES key of a tool that sets parity: parity bits are not compared.
    unread : tuple of Unread
        What it does not look at.
    slow : bool
        Takes a noticeable time: left to the full self-test, which every key service runs.
    """

    algorithm: str
    inputs: tuple[Input, ...]
    compute: Callable[..., Answer] = field(repr=False)
    source: str
    also: tuple[str, ...] = ()
    kept: tuple[int, ...] = ()
    des_result: bool = False
    unread: tuple[Unread, ...] = ()
    slow: bool = False

    @property
    def names(self) -> Iterable[str]:
        """Every name of the algorithm."""
        return (self.algorithm, *self.also)

    def takes(self, given: Iterable[str]) -> bool:
        """Whether inputs of these names are what it wants."""
        names = set(given)
        wanted = {one.name for one in self.inputs if not one.optional}
        return wanted <= names <= {one.name for one in self.inputs}


def inputs(text: str) -> tuple[Input, ...]:
    """Inputs from ``name``, ``name:kind``, ``name?`` and ``name?:kind``, separated by spaces.

    Examples
    --------
    >>> [(one.name, one.kind.value, one.optional) for one in inputs("key:des data iv?")]
    [('key', 'des', False), ('data', 'bytes', False), ('iv', 'bytes', True)]
    """
    found = []
    for word in text.split():
        name, _, kind = word.partition(":")
        found.append(Input(name.rstrip("?"), Kind(kind or "bytes"), name.endswith("?")))
    return tuple(found)


def agree(one: object, other: object, what: str) -> None:
    """Refuse a vector whose redundant inputs contradict each other."""
    if one != other:
        raise ContradictionError(f"{what} does not fit the other inputs")
