"""A card of a profile in a reader, and the means to work with it, for services at a window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cardkit.card.card import Card
from cardkit.card.procedure import Procedure
from cardkit.card.procedures.identify import Identity, identify
from cardkit.issuance.plan import expected_card

if TYPE_CHECKING:
    from cardkit.profile import Profile

_FACTOR = 8


@dataclass(frozen=True, slots=True)
class CardInReader:
    """One card.

    Parameters
    ----------
    run : callable
        Runs a procedure against the card with its keys.
    random : callable
        ``random(n)`` gives n bytes.
    """

    profile: Profile
    card: Card
    run: Callable[[Procedure[Any]], Any]
    random: Callable[[int], bytes]

    def identity(self) -> Identity | None:
        """What it says that it is, after it has proven to be genuine; None for another card.

        Raises
        ------
        WrongCardError
            A social-security card that is locked, half made or of another city.
        AuthenticationFailedError
            It does not hold the keys of this profile.
        """
        expected = expected_card(self.profile)
        found: Identity | None = self.run(identify(self.card, expected, self.random(_FACTOR)))
        return found
