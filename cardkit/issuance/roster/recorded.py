"""People who are in the registry already, as if a roster had named them.

For cards that wait there without any file: a confirmed application, a replacement [D14], instant
issue at the window [D7].
"""

from __future__ import annotations

from collections.abc import Sequence

from cardkit.issuance.roster.columns import COLUMNS
from cardkit.issuance.roster.headings import Layout
from cardkit.issuance.roster.remarks import Language
from cardkit.issuance.roster.roster import Roster
from cardkit.issuance.roster.table import SourceFormat, Table
from cardkit.registry.people import Applicant

_SHOWN = COLUMNS[:5]  # the agencies' list [D1]: no more of a person than its return list needs
_FORMAT = SourceFormat(encoding="utf-8-sig", line_end="\r\n")  # spreadsheets want the mark


def of_people(applicants: Sequence[Applicant], lang: Language = "zh") -> Roster:
    """A roster of the agencies' columns that no file is behind.

    Parameters
    ----------
    applicants : sequence of Applicant
        ``row`` is the number of the card record; in rising order.
    lang : {'zh', 'en'}
        Language of the headings.
    """
    table = Table(
        _FORMAT,
        [column.label(lang) for column in _SHOWN],
        columns=[[getattr(one, column.field) for one in applicants] for column in _SHOWN],
        rows=[one.row for one in applicants],
    )
    layout = Layout(fields={column.field: at for at, column in enumerate(_SHOWN)})
    return Roster("", "", list(applicants), [], [], table, layout)
