"""A stop signal ends readiness first and stops the server after a delay."""

import asyncio
import signal
from collections.abc import Iterator
from types import FrameType

import pytest

from my_app.core.platform.operations.shutdown import (
    drain_before_stop,
)
from my_app.core.platform.readiness import Readiness

pytestmark = pytest.mark.anyio


@pytest.fixture
def readiness() -> Readiness:
    return Readiness({}, timeout_seconds=1, cache_seconds=0)


@pytest.fixture
def reached() -> Iterator[list[int]]:
    """Stand in for a server and record each signal that reaches it."""
    numbers: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        numbers.append(number)

    before = signal.signal(signal.SIGTERM, note)
    yield numbers
    signal.signal(signal.SIGTERM, before)


async def test_without_a_delay_the_server_stops_at_once(
    readiness: Readiness, reached: list[int]
) -> None:
    with drain_before_stop(readiness, delay_seconds=0):
        signal.raise_signal(signal.SIGTERM)

    assert readiness.stopping
    assert reached == [signal.SIGTERM]


async def test_readiness_ends_before_the_server_stops(
    readiness: Readiness, reached: list[int]
) -> None:
    with drain_before_stop(readiness, delay_seconds=0.05):
        signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(0)
        assert readiness.stopping
        assert reached == []
        await asyncio.sleep(0.1)

    assert reached == [signal.SIGTERM]


async def test_a_second_signal_is_not_delayed(
    readiness: Readiness, reached: list[int]
) -> None:
    with drain_before_stop(readiness, delay_seconds=60):
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)

    assert reached == [signal.SIGTERM]


async def test_the_servers_handlers_are_restored(
    readiness: Readiness, reached: list[int]
) -> None:
    before = signal.getsignal(signal.SIGTERM)

    with drain_before_stop(readiness, delay_seconds=0):
        assert signal.getsignal(signal.SIGTERM) is not before

    assert signal.getsignal(signal.SIGTERM) is before


async def test_a_handler_set_by_others_meanwhile_stays(
    readiness: Readiness, reached: list[int]
) -> None:
    with drain_before_stop(readiness, delay_seconds=0):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


async def test_in_another_thread_nothing_changes(readiness: Readiness) -> None:
    before = signal.getsignal(signal.SIGTERM)

    def elsewhere() -> bool:
        with drain_before_stop(readiness, delay_seconds=0):
            return signal.getsignal(signal.SIGTERM) is before

    assert await asyncio.to_thread(elsewhere)
