"""Datang T514, a chip in the style of the social-security COS specification.

The commands come from one production tool of 2015 (confidence medium); where it is silent the
numbered decisions of docs/decisions.md hold.
"""

from cardkit.card.dialects.t514.initialise import ChipPlan, initialise, open_chip

__all__ = ["ChipPlan", "initialise", "open_chip"]
