"""``cardkit intake``: applications, photos, identity checks, printed faces."""

from __future__ import annotations

import click

from cardkit.cli.lazy import Later, LazyGroup

_APPLICATION = "cardkit.cli.intake_application:"
_LOOK = "cardkit.cli.intake_look:"
_DECISION = "cardkit.cli.intake_decision:"
_PHOTO = "cardkit.cli.intake_photo:"
_FACE = "cardkit.cli.intake_face:"

COMMANDS = {
    "apply": Later(_APPLICATION + "apply", "Take applications 受理申请 from a file"),
    "list": Later(_LOOK + "list_", "List applications 申请"),
    "show": Later(_LOOK + "show", "Show one application"),
    "identity": Later(_LOOK + "identity", "Ask the identity system 身份核查"),
    "duplicates": Later(_LOOK + "duplicates", "Who may be the same person 查重"),
    "check": Later(_DECISION + "check", "First check 初审, by the township"),
    "correct": Later(_DECISION + "correct", "Correct 更正 an application before it is confirmed"),
    "confirm": Later(_DECISION + "confirm", "Confirm 复核, by the county: plans the card"),
    "refuse": Later(_DECISION + "refuse", "Refuse an application 退回"),
    "withdraw": Later(_DECISION + "withdraw", "Withdraw an application 撤回"),
    "photo": Later(_PHOTO + "photo", "Check photos 照片 against the ID standard"),
    "add-photo": Later(_PHOTO + "add_photo", "Give an application its photo"),
    "import-photos": Later(_PHOTO + "import_photos", "Take over many photos 批量导入照片"),
    "face": Later(_FACE + "face", "Draw the printed side 卡面 of a card"),
    "print": Later(_FACE + "print_", "Print the face of a card 打印卡面"),
    "spoil-face": Later(_FACE + "spoil_face", "Give up a printed face 作废卡面"),
    "match": Later(_FACE + "match", "Find the record of a printed card 卡面匹配"),
}


@click.group(cls=LazyGroup, later=COMMANDS)
def intake() -> None:
    """Applications, photos, identity checks and printed faces 受理.

    What comes before a card is made: docs/intake.md.
    """
