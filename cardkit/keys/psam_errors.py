"""What can go wrong between a program and a PSAM.

Some are a `WrongCardError` too: the card in the reader needs what no PSAM gives, other cards may
not, so a batch puts that card aside and goes on.
"""

from __future__ import annotations

from cardkit.card.procedures.identify import WrongCardError
from cardkit.errors import ExitCode, RefusedError, UnreachableError
from cardkit.keys.store import KeyMissingError, KeyPolicyError


class PsamGoneError(UnreachableError):
    """The PSAM does not answer: pulled, reset, reader gone."""

    def __init__(self, cause: UnreachableError) -> None:
        super().__init__(
            f"the PSAM does not answer: {cause.message}",
            hint="put it back into its reader; the card in work is finished then",
            zh="PSAM 卡没有应答（被取出或断电）：请插回 PSAM 卡，会继续完成当前卡",
        )


class PsamRefusedError(RefusedError):
    """The PSAM answered with an error: wrong environment, missing key, another kind of PSAM."""


class PsamLacksKeyError(KeyMissingError, PsamRefusedError):
    """A key that PSAMs can have is not in this one."""

    exit_code = ExitCode.REFUSED


class NotForPsamError(KeyMissingError, WrongCardError):
    """The card needs a key that no PSAM has; cards that do not need it can be made."""

    exit_code = ExitCode.REFUSED

    def __init__(self, name: str) -> None:
        super().__init__(
            f"a PSAM has no key {name}",
            hint="blank chips are made with a key store or an HSM; put in a pre-made card",
            zh=f"PSAM 卡中没有密钥 {name}：空白卡请用密钥库或加密机制作，这里请放预制卡",
        )


class PsamCannotError(KeyPolicyError, WrongCardError):
    """The card needs something that a PSAM does not do with its keys."""

    exit_code = ExitCode.REFUSED
