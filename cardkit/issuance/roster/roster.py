"""A roster that was read: who can be issued, who cannot and why, and how to write it back."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cardkit.issuance.roster.columns import REJECT_HEADINGS
from cardkit.issuance.roster.headings import Layout, normalise
from cardkit.issuance.roster.reasons import Problem, Reject
from cardkit.issuance.roster.remarks import Language, Remark
from cardkit.issuance.roster.table import SourceFormat, Table
from cardkit.issuance.roster.writing import write_records
from cardkit.registry.people import Applicant

RETURN_HEADINGS: dict[Language, tuple[str, str]] = {
    "zh": ("卡号", "卡识别码"),
    "en": ("card number", "card id code"),
}
"""What the return list adds: the card number, and on request the card id code."""


@dataclass(frozen=True, slots=True)
class IssuedCard:
    """What the return list says of one card.

    Parameters
    ----------
    card_number : str
        Nine characters.
    card_id_code : str
        Thirty-two hexadecimal digits.
    """

    card_number: str
    card_id_code: str = ""


@dataclass(slots=True)
class Roster:
    """A roster, read and checked.

    Parameters
    ----------
    name : str
        File name.
    digest : str
        SHA-256 of the file, hexadecimal.
    applicants : list of Applicant
        Rows nothing is wrong with, in the order of the file.
    rejects : list of Reject
        The other rows, in the order of the file.
    remarks : list of Remark
        What the report should say.
    """

    name: str
    digest: str
    applicants: list[Applicant] = field(repr=False)
    rejects: list[Reject] = field(repr=False)
    remarks: list[Remark]
    _table: Table = field(repr=False)
    _layout: Layout = field(repr=False)

    @property
    def format(self) -> SourceFormat:
        """How the file is written."""
        return self._table.format

    @property
    def headings(self) -> tuple[str, ...]:
        """Headings as in the file."""
        return tuple(self._table.headings)

    @property
    def count(self) -> int:
        """Rows of people, rejected ones included."""
        return len(self._table.rows)

    @property
    def citizen_numbers(self) -> list[str]:
        """Citizen numbers of the applicants, each once."""
        return [applicant.citizen_number for applicant in self.applicants]

    def original(self, row: int) -> list[str]:
        """Cells of a row as they are in the file.

        Raises
        ------
        KeyError
            The row is blank or outside the roster.
        """
        return self._table.record(self._index(row))

    def _index(self, row: int) -> int:
        at = bisect_left(self._table.rows, row)
        if at == len(self._table.rows) or self._table.rows[at] != row:
            raise KeyError(row)
        return at

    def _labels(self) -> dict[str, str]:
        """Fields by the headings the roster itself uses."""
        columns = self._layout.fields | {a: c for a, (c, _) in self._layout.items.items()}
        return {name: self._table.headings[at].strip() for name, at in columns.items()}

    def refuse(self, problems: Mapping[int, Problem]) -> None:
        """Turn applicants into rejects for reasons found after reading, e.g. by the registry.

        Parameters
        ----------
        problems : mapping
            Row → what is wrong; rows that are already rejected get the reason too. The code
            ``registry_says`` takes its words from the details ``chinese`` and ``english``.

        Raises
        ------
        KeyError
            A row is not of this roster.
        """
        if not problems:
            return
        for row in problems:
            self.original(row)
        known = {reject.row: reject.problems for reject in self.rejects}
        for row, problem in problems.items():
            known[row] = (*known.get(row, ()), problem)
        self.rejects = [Reject(row, known[row]) for row in sorted(known)]
        self.applicants = [a for a in self.applicants if a.row not in problems]

    def write_rejects(self, path: str | Path, *, lang: Language = "zh") -> None:
        """Write the rejected rows in the roster's own format, with 行号, 字段 and 原因 added.

        Corrected, the file is a roster again: the three columns are left out when it is read, and
        replaced when it is written.

        Raises
        ------
        UsageError
            The file cannot be written.
        """
        own = [*REJECT_HEADINGS["zh"], *REJECT_HEADINGS["en"]]
        extra = REJECT_HEADINGS[lang]
        labels = self._labels()
        rows = (
            (r.row, (str(r.row), r.fields(lang, labels), r.reason(lang, labels)))
            for r in self.rejects
        )
        write_records(Path(path), self.format, self._with_columns(own, extra, rows))

    def write_return(
        self,
        path: str | Path,
        cards: Mapping[int, IssuedCard],
        *,
        lang: Language = "zh",
        id_codes: bool = False,
    ) -> None:
        """Write the return list (domain.md [D1], [D3]): the original rows with 卡号 added.

        Parameters
        ----------
        cards : mapping
            Row → its card; other rows are left out.
        id_codes : bool
            Whether 卡识别码 is added too.

        Raises
        ------
        UsageError
            The file cannot be written.
        KeyError
            A row is not of this roster.
        """
        extra = RETURN_HEADINGS[lang][: 2 if id_codes else 1]
        own = [*RETURN_HEADINGS["zh"], *RETURN_HEADINGS["en"]]
        own += [*REJECT_HEADINGS["zh"], *REJECT_HEADINGS["en"]]
        rows = (
            (row, (cards[row].card_number, cards[row].card_id_code)[: len(extra)])
            for row in sorted(cards)
        )
        write_records(Path(path), self.format, self._with_columns(own, extra, rows))

    def _with_columns(
        self, own: Sequence[str], extra: Sequence[str], rows: Iterable[tuple[int, Sequence[str]]]
    ) -> Iterator[list[str]]:
        """Heading and records without the columns this project adds, then those columns."""
        names = {normalise(heading) for heading in own}
        kept = [i for i, h in enumerate(self._table.headings) if normalise(h) not in names]
        yield [*(self._table.headings[i] for i in kept), *extra]
        for row, cells in rows:
            original = self._table.record_to_write(self._index(row))
            yield [*(original[i] for i in kept), *cells]
