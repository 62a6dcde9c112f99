"""One timeout for many tasks, at the cost of a dictionary entry each."""

import asyncio


class Deadlines:
    """Cancels each task that is still running `seconds` after it was added.

    `asyncio.timeout` creates a timer per request, and the event loop keeps cancelled
    timers until they would have fired: 150,000 of them at 5,000 requests per second and
    30 seconds. With one limit for all, tasks expire in the order in which they were
    added, so a single timer for the oldest is enough.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._due: dict[asyncio.Task[object], float] = {}
        self._expired: set[asyncio.Task[object]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def add(self, task: asyncio.Task[object]) -> None:
        """Start the clock for a task."""
        loop = task.get_loop()
        due = loop.time() + self.seconds
        self._due[task] = due
        if self._loop is not loop:
            self._loop = loop
            loop.call_at(due, self._expire)

    def stop(self, task: asyncio.Task[object]) -> None:
        """Lift the limit of a task."""
        self._due.pop(task, None)

    def remove(self, task: asyncio.Task[object]) -> bool:
        """Remove a task and return whether it was cancelled by its deadline.

        If so, the caller must call the task's `uncancel`.
        """
        self.stop(task)
        expired = task in self._expired
        self._expired.discard(task)
        return expired

    def _expire(self) -> None:
        while self._due:
            task, due = next(iter(self._due.items()))
            loop = task.get_loop()
            if due > loop.time():
                loop.call_at(due, self._expire)
                return
            del self._due[task]
            self._expired.add(task)
            task.cancel()
        self._loop = None
