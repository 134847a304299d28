"""Rosters of people who do not exist, for trying out and for tests.

Their district code 639900 belongs to no place, their telephone numbers begin with 129, which no
network uses; everything else is as in a county: check digits are right, names have two characters
or very many, some with · and some with rare characters.
"""

from cardkit.issuance.roster.sample.damage import KINDS
from cardkit.issuance.roster.sample.people import LARGEST, people
from cardkit.issuance.roster.sample.writing import ENCODINGS, FIELDS, records, write

__all__ = ["ENCODINGS", "FIELDS", "KINDS", "LARGEST", "people", "records", "write"]
