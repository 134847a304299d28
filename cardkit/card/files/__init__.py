"""The specification tree of card generations: what files, items, keys and conditions a card has."""

from cardkit.card.files.generation2 import GENERATION_2
from cardkit.card.files.model import Field, Tree

TREES: dict[str, Tree] = {GENERATION_2.generation: GENERATION_2}

__all__ = ["GENERATION_2", "TREES", "Field", "Tree"]
