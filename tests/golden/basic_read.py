"""Commands and raw answers of the basic read (card.md 3), written by hand for the golden row."""

from __future__ import annotations

ISSUER, HOLDER = "EF05", "EF06"
SELECT_SSSE = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF"


def compact(text: str) -> str:
    """Hex without spaces."""
    return "".join(text.split())


def exchanges(table: str) -> list[tuple[str, str]]:
    """Lines ``command > answer``, with spaces where they help to read; # begins a comment."""
    lines = (line.partition("#")[0].partition(">") for line in table.strip().splitlines())
    return [(compact(command), compact(answer)) for command, _, answer in lines]


# 6F { 84 name, A5 { 88 identifier of DIR, 9F0C { 86 algorithm 01, which is 3DES } } }: card.md 1,
# cos.md 7.2 decision 12.
FCI = compact("6F1C 840F 7378312E73682EC9E7BBE1B1A3D5CF A509 88011E 9F0C03 860101")

BASIC_READ = exchanges(f"""
    {SELECT_SSSE} > 61 1E
    00C0 0000 1E > {FCI} 9000
    00A4 0200 02 EF05 > 9000
    00B2 0104 12 > 01 10 639900 D156000005 00A00139 9DB183FA 9000   # card id code
    00B2 0304 06 > 03 04 322E3030 9000                              # version 2.00
    00B2 0704 0B > 07 09 543030323032363135 9000                    # card number T00202615
    00B2 0700 0B > 07 09 543030323032363135 9000                    # the same by tag
    00A4 0200 02 EF06 > 9000
    00B2 0104 14 > 08 12 363339393030 3139383530333137 303032 58 9000
    00B2 0204 20 > 09 1E C2F2C2F2CCE1B0ACC1A6 A1A4 B0A2B2B7B6C5C8C8BACFC2FC A1A4 CDC2B6FB 9000
    00B2 0304 16 > 4E 14 D1B7BDAD 00000000000000000000000000000000 9000
    00B2 0404 03 > 0A 01 32 9000
    00B2 0504 03 > 0B 01 05 9000
    00B2 0704 06 > 0D 04 19850317 9000
    """)
"""Command and answer, in order; a T=0 card answers exactly this."""

WRONG_LENGTHS = [
    (file, command, answer)
    for file, table in {
        ISSUER: """
            00B2 0104 00 > 6C 12
            00B2 0104 10 > 6C 12
            00B2 0304 00 > 6C 06
            00B2 0704 0A > 6C 0B
            00B2 0700 00 > 6C 0B
            """,
        HOLDER: """
            00B2 0104 12 > 6C 14
            00B2 0204 00 > 6C 20
            00B2 0404 FF > 6C 03
            00B2 0704 04 > 6C 06
            """,
    }.items()
    for command, answer in exchanges(table)
]
"""Selected file, command, answer."""
