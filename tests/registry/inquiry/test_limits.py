"""How fast a client may ask."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cardkit.registry.inquiry.limits import BURST, RateLimits


@given(
    st.integers(1, 100),
    st.lists(st.tuples(st.floats(0, 3), st.integers(1, 50)), min_size=1, max_size=60),
)
def test_nobody_gets_more_than_the_rate(rate: int, calls: list[tuple[float, int]]) -> None:
    """Over any time: at most a full bucket, the rate, and the one call that overdrew it."""
    now = 0.0
    limits = RateLimits(lambda: now)
    taken = 0
    for pause, cost in calls:
        now += pause
        if limits.wait(1, rate, cost) == 0:
            taken += cost
    assert taken <= rate * BURST + rate * now + 50 + 1e-6


def test_whoever_waits_as_told_is_served() -> None:
    now = 0.0
    limits = RateLimits(lambda: now)
    while not (wait := limits.wait(1, 5, 3)):
        pass
    now += wait
    assert limits.wait(1, 5, 3) == 0


def test_clients_do_not_take_from_each_other() -> None:
    limits = RateLimits(lambda: 0.0)
    assert [limits.wait(client, 1, 2) for client in (1, 2, 1, 2)] == [0, 0, 2, 2]


def test_a_rate_of_zero_is_no_limit() -> None:
    limits = RateLimits(lambda: 0.0)
    assert {limits.wait(1, 0, 1000) for _ in range(100)} == {0}
