"""Commands and raw answers of the basic read (card.md 3), written by hand for the golden row."""

from __future__ import annotations

SELECT_SSSE = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF"
ISSUER, HOLDER = "EF05", "EF06"

# 6F { 84 name, A5 { 88 identifier of DIR, 9F0C { 86 algorithm 01, 3DES } } }: card.md 1 and
# cos.md 7.2 decision 12.
FCI = "6F1C" "840F7378312E73682EC9E7BBE1B1A3D5CF" "A509" "88011E" "9F0C03" "860101"

BASIC_READ = (
    (SELECT_SSSE, "611E"),
    ("00C000001E", FCI + "9000"),
    ("00A4020002EF05", "9000"),
    ("00B2010412", "0110" "639900D15600000500A001399DB183FA" "9000"),
    ("00B2030406", "0304" "322E3030" "9000"),
    ("00B207040B", "0709" "543030323032363135" "9000"),
    ("00B207000B", "0709" "543030323032363135" "9000"),  # the same by tag
    ("00A4020002EF06", "9000"),
    ("00B2010414", "0812" "363339393030313938353033313730303258" "9000"),
    (
        "00B2020420",
        "091E" "C2F2C2F2CCE1B0ACC1A6A1A4B0A2B2B7B6C5C8C8BACFC2FCA1A4CDC2B6FB" "9000",
    ),
    ("00B2030416", "4E14" "D1B7BDAD00000000000000000000000000000000" "9000"),
    ("00B2040403", "0A0132" "9000"),
    ("00B2050403", "0B0105" "9000"),
    ("00B2070406", "0D0419850317" "9000"),
)
"""Command and answer, in order; a T=0 card answers exactly this."""

WRONG_LENGTHS = (
    ("EF05", "00B2010400", "6C12"),
    ("EF05", "00B2010410", "6C12"),
    ("EF05", "00B2030400", "6C06"),
    ("EF05", "00B207040A", "6C0B"),
    ("EF05", "00B2070000", "6C0B"),
    ("EF06", "00B2010412", "6C14"),
    ("EF06", "00B2020400", "6C20"),
    ("EF06", "00B20404FF", "6C03"),
    ("EF06", "00B2070404", "6C06"),
)
"""Selected file, command, answer."""
