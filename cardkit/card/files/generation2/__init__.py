"""Generation 2.0: file structure and data items V2.0 of 2012, as two drivers agree on it."""

from cardkit.card.files.generation2.df01 import DF01
from cardkit.card.files.generation2.df02 import DF02
from cardkit.card.files.generation2.df03 import DF03
from cardkit.card.files.generation2.df04 import DF04
from cardkit.card.files.generation2.mf import MF
from cardkit.card.files.generation2.ssse import SSSE
from cardkit.card.files.model import Tree

GENERATION_2 = Tree("2.0", (MF, SSSE, DF01, DF02, DF03, DF04))

__all__ = ["GENERATION_2"]
