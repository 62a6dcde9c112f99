"""Treat signals that end a process like Ctrl-C."""

import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

type Handler = Callable[[int, FrameType | None], None]


@contextmanager
def handled(numbers: Sequence[int], handler: Handler) -> Iterator[None]:
    """Handle signals in another way until the block ends."""
    before = [signal.signal(number, handler) for number in numbers]
    try:
        yield
    finally:
        for number, former in zip(numbers, before, strict=True):
            signal.signal(number, former)


@contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """Treat SIGTERM and SIGHUP like Ctrl-C, so that clean-up code runs."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with handled((signal.SIGTERM, signal.SIGHUP), interrupt):
        yield


@contextmanager
def postponed_signals(numbers: Iterable[int]) -> Iterator[None]:
    """Let signals wait, for Python drops an exception that is raised while it forks."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def kept_interrupts() -> Iterator[None]:
    """Deliver Ctrl-C, SIGTERM and SIGHUP when the block has ended, to their handlers.

    What the block starts is then known to whoever has to end it. Unlike a blocked
    signal, one that is kept is not blocked in the programs that the block starts. Only
    the main thread may call it.
    """
    kept: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    try:
        with handled(numbers, lambda number, _: kept.append(number)):
            yield
    finally:
        if kept:
            signal.raise_signal(kept[0])
