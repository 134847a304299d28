"""Rosters 花名册: read, checked, and written back with reasons or card numbers.

>>> from cardkit.issuance import roster
>>> # roster.read("batch.csv", today=date(2014, 6, 1)) -> Roster
"""

from cardkit.issuance.roster.columns import headings_table
from cardkit.issuance.roster.reading import read
from cardkit.issuance.roster.reasons import Problem, Reject
from cardkit.issuance.roster.remarks import Language, Remark
from cardkit.issuance.roster.roster import IssuedCard, Roster
from cardkit.issuance.roster.table import SourceFormat

__all__ = [
    "IssuedCard",
    "Language",
    "Problem",
    "Reject",
    "Remark",
    "Roster",
    "SourceFormat",
    "headings_table",
    "read",
]
