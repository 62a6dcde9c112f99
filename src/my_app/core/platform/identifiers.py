"""Identifiers of what is stored: UUIDs of version 7 (RFC 9562), which sort by age."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock
from uuid import UUID

# After 48 bits of milliseconds a UUIDv7 has 74 bits of its own: 12 of them stand before
# the variant's two bits, 62 behind.
OWN_BITS = 74
LOW_BITS = 62
STEP_BITS = 32


class Identifiers:
    """Makes identifiers that only ever increase, whatever the clock does.

    That is per process: those of two processes are in order to the millisecond, as far
    as their clocks agree. Works across threads, and after a fork.
    """

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self.clock = clock
        self._last = 0
        self._lock = Lock()

    def __call__(self) -> UUID:
        """Make the next one."""
        own = secrets.randbits(OWN_BITS)
        fresh = self.clock() // 1_000_000 << OWN_BITS | own
        with self._lock:
            # Within one millisecond, and after the clock was set back, it goes on from
            # the last by a random step: RFC 9562, 6.2, method 2.
            step = 1 + secrets.randbits(STEP_BITS)
            self._last = max(fresh, self._last + step)
            return packed(self._last)


def packed(value: int) -> UUID:
    """Put 122 bits around the version's four and the variant's two."""
    low = value & (1 << LOW_BITS) - 1
    middle = value >> LOW_BITS & 0xFFF
    return UUID(int=value >> OWN_BITS << 80 | 7 << 76 | middle << 64 | 0b10 << 62 | low)


def made_at(identifier: UUID) -> datetime:
    """Return when an identifier was made, to the millisecond."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)


new_identifier = Identifiers()
