"""PSAM 安全存取模块: the chip in the second slot that holds issuer keys and computes with them.

Commands and environments as working terminals use them (card.md 2.1, 3, 5.2-5.5).
"""

from cardkit.card.psam.environment import (
    DES,
    ENVIRONMENTS,
    FACTOR_LENGTH,
    SM4,
    SSF33,
    Environment,
    environment_for,
)
from cardkit.card.psam.keymap import (
    ENCRYPTS,
    MACS,
    TWO_LEVELS,
    KeyMap,
    MapEntry,
    PsamKey,
    PsamKeyType,
    PsamLevel,
)
from cardkit.card.psam.procedures import (
    MAC_LENGTH,
    authentication_data,
    compute,
    derive,
    last_block,
    load_key,
    mac,
    perform,
    select,
    terminal_number,
)

__all__ = [
    "DES",
    "ENCRYPTS",
    "ENVIRONMENTS",
    "FACTOR_LENGTH",
    "MACS",
    "MAC_LENGTH",
    "SM4",
    "SSF33",
    "TWO_LEVELS",
    "Environment",
    "KeyMap",
    "MapEntry",
    "PsamKey",
    "PsamKeyType",
    "PsamLevel",
    "authentication_data",
    "compute",
    "derive",
    "environment_for",
    "last_block",
    "load_key",
    "mac",
    "perform",
    "select",
    "terminal_number",
]
