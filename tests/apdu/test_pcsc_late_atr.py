"""A card just put in: pcscd lets a program connect some milliseconds before it tells the ATR."""

from __future__ import annotations

from typing import Any

import pytest

from cardkit.apdu import pcsc
from cardkit.apdu.pcsc.calls import scard
from tests.bench import Insert, ScriptedCard

pytestmark = pytest.mark.pcsc


class LateAtr:
    """The low-level module, with a status that has no ATR the first so many times."""

    def __init__(self, late: int) -> None:
        self.late = late

    def __getattr__(self, name: str) -> Any:
        return getattr(scard(), name)

    def SCardStatus(self, handle: int) -> tuple[Any, ...]:  # noqa: N802
        self.late -= 1
        answer = tuple(scard().SCardStatus(handle))
        return answer if self.late < 0 else (*answer[:-1], [])


def test_the_atr_is_waited_for(insert: Insert, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = insert(ScriptedCard()).reader
    module = LateAtr(2)
    monkeypatch.setattr("cardkit.apdu.pcsc.link.scard", lambda: module)
    with pcsc.open_card(reader) as link:
        assert link.atr == ScriptedCard.ATR


def test_a_card_that_never_has_one_is_mute_and_let_go(
    insert: Insert, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = insert(ScriptedCard()).reader
    module = LateAtr(1000)
    monkeypatch.setattr("cardkit.apdu.pcsc.link.scard", lambda: module)
    with pytest.raises(pcsc.MuteCardError):
        pcsc.open_card(reader)
    module.late = 0
    with pcsc.open_card(reader) as link:
        assert link.atr == ScriptedCard.ATR
