"""Identifiers of stored objects: version 7 UUIDs (RFC 9562), which sort by age."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock
from uuid import UUID

# After 48 bits of milliseconds a UUIDv7 has 74 random bits: 12 before the two variant
# bits and 62 after them.
RANDOM_BITS = 74
LOW_BITS = 62
STEP_BITS = 32


class Identifiers:
    """Generates strictly increasing identifiers, even if the clock is set back.

    That holds per process: across processes the order is as precise as their clocks, at
    best a millisecond. Safe to use from threads and after a fork.
    """

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self.clock = clock
        self._last = 0
        self._lock = Lock()

    def __call__(self) -> UUID:
        """Generate the next identifier."""
        random = secrets.randbits(RANDOM_BITS)
        fresh = self.clock() // 1_000_000 << RANDOM_BITS | random
        with self._lock:
            # Within one millisecond, or after the clock was set back, increment the
            # last identifier by a random step: RFC 9562, 6.2, method 2.
            step = 1 + secrets.randbits(STEP_BITS)
            self._last = max(fresh, self._last + step)
            return packed(self._last)


def packed(value: int) -> UUID:
    """Insert the four version bits and the two variant bits into 122 bits."""
    low = value & (1 << LOW_BITS) - 1
    middle = value >> LOW_BITS & 0xFFF
    return UUID(
        int=value >> RANDOM_BITS << 80 | 7 << 76 | middle << 64 | 0b10 << 62 | low
    )


def made_at(identifier: UUID) -> datetime:
    """Return when an identifier was generated, to the millisecond."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)


new_identifier = Identifiers()
