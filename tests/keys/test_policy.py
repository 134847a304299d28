"""Records, their states, and what a policy refuses."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from cardkit.keys import policy
from cardkit.keys.record import (
    TRANSITIONS,
    USABLE,
    KeyRecord,
    KeyState,
    Operation,
    TransitionError,
    usual_usage,
)
from cardkit.keys.reference import CheckValue, Factors, city_factor, province_factor
from cardkit.keys.store import KeyPolicyError

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
ABOVE = (province_factor("63"), city_factor("639900"))
CARD = bytes(range(8))


def record(**fields: object) -> KeyRecord:
    values: dict[str, object] = {
        "name": "SSSE.IRK", "version": 2, "algorithm": "3des", "levels": 3,
        "usage": usual_usage("SSSE.IRK"), "check_value": CheckValue(b"\x01\x02\x03"),
        "state": KeyState.ACTIVE,
    }  # fmt: skip
    return KeyRecord(**(values | fields))  # type: ignore[arg-type]


def test_json_round_trip() -> None:
    one = record(valid_from=dt.date(2020, 1, 1), owner="639900", approved_by="沈")
    assert KeyRecord.from_json(one.to_json()) == one


def test_every_action_in_every_state() -> None:
    actions = {action for _, action in TRANSITIONS}
    for state, action in itertools.product(KeyState, actions):
        if (state, action) in TRANSITIONS:
            assert record(state=state).after(action).state is TRANSITIONS[state, action]
        else:
            with pytest.raises(TransitionError, match=f"is {state}, one cannot {action} it"):
                record(state=state).after(action)


def test_nothing_leaves_destroyed_and_active_is_not_destroyed_at_once() -> None:
    assert not [s for s, _ in TRANSITIONS if s is KeyState.DESTROYED]
    assert (KeyState.ACTIVE, "destroy") not in TRANSITIONS


def test_every_operation_in_every_state() -> None:
    for state, operation in itertools.product(KeyState, Operation):
        key = record(state=state, usage=frozenset(Operation))
        if operation in USABLE.get(state, ()):
            policy.check(key, operation, None, NOW)
        else:
            with pytest.raises(KeyPolicyError, match=str(state)):
                policy.check(key, operation, None, NOW)


def test_only_what_the_usage_names() -> None:
    for operation in Operation:
        if operation in usual_usage("SSSE.IRK"):
            policy.check(record(), operation, None, NOW)
        else:
            with pytest.raises(KeyPolicyError, match=f"may not be used for {operation}"):
                policy.check(record(), operation, None, NOW)


@pytest.mark.parametrize(
    ("day", "words"),
    [("2026-11-20", "valid from 2026-11-21 only"), ("2026-12-02", "was valid until 2026-12-01")],
)
def test_outside_validity(day: str, words: str) -> None:
    key = record(valid_from=dt.date(2026, 11, 21), valid_until=dt.date(2026, 12, 1))
    when = dt.datetime.fromisoformat(f"{day}T12:00:00+00:00")
    policy.check(key, None, None, NOW)
    with pytest.raises(KeyPolicyError, match=words):
        policy.check(key, None, None, when)


@pytest.mark.parametrize(
    ("levels", "factors"),
    [(3, Factors(ABOVE, CARD)), (2, Factors(ABOVE[1:], CARD)), (1, Factors((), CARD)),
     (0, Factors())],
)  # fmt: skip
def test_levels_and_the_source_of_factors(levels: int, factors: Factors) -> None:
    for other in range(4):
        if other == levels:
            policy.check(record(levels=other), None, factors, NOW)
        else:
            with pytest.raises(KeyPolicyError, match=f"in {other} levels, {levels} were asked"):
                policy.check(record(levels=other), None, factors, NOW)


@pytest.mark.parametrize(
    "above", [ABOVE[::-1], (ABOVE[0], bytes(8)), (CARD, ABOVE[1]), (ABOVE[0], ABOVE[0])]
)
def test_other_factors_are_refused(above: tuple[bytes, ...]) -> None:
    with pytest.raises(KeyPolicyError, match="by province, city and card"):
        policy.check(record(), None, Factors(above, CARD), NOW)
    with pytest.raises(KeyPolicyError, match="levels"):
        policy.check(record(), None, Factors((*ABOVE, *above), CARD), NOW)
