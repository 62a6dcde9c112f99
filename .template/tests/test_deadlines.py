"""One timer cancels late tasks and no others."""

import asyncio

import pytest

from my_app.core.platform.http.deadlines import Deadlines

pytestmark = pytest.mark.anyio


async def work(deadlines: Deadlines, seconds: float) -> bool:
    """Sleep under a deadline; return whether the deadline cancelled it."""
    task = asyncio.current_task()
    assert task is not None
    deadlines.add(task)
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        task.uncancel()
    return deadlines.remove(task)


async def test_only_late_tasks_are_cancelled() -> None:
    deadlines = Deadlines(0.1)

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(work(deadlines, seconds))
            for seconds in (0.01, 5, 0.02, 5, 0)
        ]

    assert [task.result() for task in tasks] == [False, True, False, True, False]


async def test_a_later_task_has_its_own_deadline() -> None:
    deadlines = Deadlines(0.1)

    async with asyncio.TaskGroup() as group:
        first = group.create_task(work(deadlines, 5))
        await asyncio.sleep(0.08)
        second = group.create_task(work(deadlines, 0.06))

    assert first.result()
    assert not second.result()


async def test_deadlines_hold_after_an_idle_period() -> None:
    deadlines = Deadlines(0.02)

    assert await work(deadlines, 5)
    await asyncio.sleep(0.05)
    assert await work(deadlines, 5)


def test_deadlines_hold_in_the_next_event_loop() -> None:
    deadlines = Deadlines(0.02)

    assert not asyncio.run(work(deadlines, 0))
    assert asyncio.run(work(deadlines, 5))


async def test_a_stopped_clock_cancels_nothing() -> None:
    deadlines = Deadlines(0.02)
    task = asyncio.current_task()
    assert task is not None

    deadlines.add(task)
    deadlines.stop(task)
    await asyncio.sleep(0.05)

    assert not deadlines.remove(task)
