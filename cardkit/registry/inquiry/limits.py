"""How fast a client may ask: a token bucket each, in the memory of one server process."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

BURST = 2.0  # seconds' worth of questions that may come at once


@dataclass(slots=True)
class _Bucket:
    level: float
    filled_at: float


class RateLimits:
    """Buckets by client.

    Parameters
    ----------
    monotonic : callable
        Seconds that only go forward.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._buckets: dict[int, _Bucket] = {}

    def wait(self, client: int, per_second: int, cost: int) -> int:
        """Take `cost` questions; 0, or the whole seconds after which to ask again.

        More than a full bucket at once is let through when the bucket is full, and paid back.

        Examples
        --------
        >>> limits = RateLimits(lambda: 0.0)
        >>> limits.wait(1, 10, 20), limits.wait(1, 10, 5)
        (0, 1)
        """
        if not per_second:
            return 0
        rate = float(per_second)
        full = max(1.0, rate * BURST)
        now = self._monotonic()
        bucket = self._buckets.setdefault(client, _Bucket(full, now))
        bucket.level = min(full, bucket.level + (now - bucket.filled_at) * rate)
        bucket.filled_at = now
        lacking = min(float(cost), full) - bucket.level
        if lacking > 0:
            return max(1, math.ceil(lacking / rate))
        bucket.level -= cost
        return 0
