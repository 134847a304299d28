"""Status words this card answers, and the exception that carries one to the end of a command.

Each has one place where it belongs (cos.md 7.6, PBOC 2.0 and FMCOS lists); those of purse commands
(9302, 9401, 9403, 9406) are missing because this card has no purse commands.
"""

from __future__ import annotations

DONE = 0x9000
DATA_MAY_BE_CORRUPT = 0x6281
SELECTED_BUT_BLOCKED = 0x6283  # SELECT of a temporarily blocked application
WRONG_TRIES = 0x63C0  # low nibble: tries left
NOTHING_CHANGED = 0x6400  # block what is blocked, unblock what is not
MEMORY_FAILURE = 0x6581  # a worn-out cell
WRONG_LENGTH = 0x6700
CLASS_AND_PROTECTION = 0x6900  # secure messaging where there is none, or missing where it must be
WRONG_LIFE_STATE = 0x6901  # a command of manufacture or pre-issue after that time
WRONG_FILE_TYPE = 0x6981
SECURITY_NOT_SATISFIED = 0x6982
BLOCKED = 0x6983  # no tries left
CHALLENGE_UNUSABLE = 0x6984
CONDITIONS_NOT_SATISFIED = 0x6985
NO_CURRENT_FILE = 0x6986
MAC_MISSING = 0x6987
MAC_WRONG = 0x6988
WRONG_DATA = 0x6A80
NOT_SUPPORTED = 0x6A81  # no MF, application blocked, card locked
FILE_NOT_FOUND = 0x6A82
RECORD_NOT_FOUND = 0x6A83
NO_SPACE = 0x6A84
WRONG_P1P2 = 0x6A86  # for CREATE also: exists already
KEY_NOT_FOUND = 0x6A88
WRONG_OFFSET = 0x6B00
WRONG_LE = 0x6C00  # low byte: the right Le
UNKNOWN_INS = 0x6D00
UNKNOWN_CLA = 0x6E00
NO_DATA = 0x6F00  # GET RESPONSE with nothing waiting
DATA_WAITING = 0x6100  # low byte: how many
PERMANENTLY_BLOCKED = 0x9303


class Refusal(Exception):  # noqa: N818 - a status word of the card, not an error of the program
    """Ends a command: its writes are undone, the card answers ``sw``. Never leaves the card."""

    def __init__(self, sw: int) -> None:
        super().__init__(f"{sw:04X}")
        self.sw = sw


def require(condition: object, sw: int) -> None:
    """Refuse the command with ``sw`` unless the condition holds."""
    if not condition:
        raise Refusal(sw)
