"""A time limit that is the same for every task, at the price of a dictionary entry."""

import asyncio


class Deadlines:
    """Cancels each task that has not finished `seconds` after it was added.

    `asyncio.timeout` sets a timer of the event loop for each request, and the loop
    keeps it, cancelled, until it would have rung: at 5,000 requests a second and 30
    seconds, 150,000 of them. Where the limit is always the same, tasks fall due in
    the order in which they came, and one timer, for the oldest, serves them all.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._due: dict[asyncio.Task[object], float] = {}
        self._expired: set[asyncio.Task[object]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def add(self, task: asyncio.Task[object]) -> None:
        """Begin to count for a task."""
        loop = task.get_loop()
        due = loop.time() + self.seconds
        self._due[task] = due
        if self._loop is not loop:
            self._loop = loop
            loop.call_at(due, self._ring)

    def stop(self, task: asyncio.Task[object]) -> None:
        """Let a task take as long as it needs from now on."""
        self._due.pop(task, None)

    def remove(self, task: asyncio.Task[object]) -> bool:
        """Forget a task; tell whether it had been cancelled for its time.

        Whoever is told so owes the task its `uncancel`.
        """
        self.stop(task)
        expired = task in self._expired
        self._expired.discard(task)
        return expired

    def _ring(self) -> None:
        while self._due:
            task, due = next(iter(self._due.items()))
            loop = task.get_loop()
            if due > loop.time():
                loop.call_at(due, self._ring)
                return
            del self._due[task]
            self._expired.add(task)
            task.cancel()
        self._loop = None
