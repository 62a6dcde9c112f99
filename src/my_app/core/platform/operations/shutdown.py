"""Shutdown: stop being ready, finish requests in flight, close what was opened."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import structlog

from ..readiness import Readiness

log = structlog.stdlib.get_logger(__name__)

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def not_ready_first(readiness: Readiness, *, delay_seconds: float) -> Iterator[None]:
    """Let a stop signal turn readiness off, and only after a delay reach the server.

    In between, whoever sends requests here learns from /readyz to send no more, while
    those that still come are answered. The server then closes its port, finishes what
    is in flight, and closes the application. A second signal is not delayed.

    Works under any server that has set its handlers by the time that the application
    starts (uvicorn does); without one, in another thread, it changes nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    servers = {
        number: handler
        for number in STOP_SIGNALS
        if callable(handler := signal.getsignal(number))
    }

    def pass_on(number: int, frame: FrameType | None) -> None:
        servers[signal.Signals(number)](number, frame)

    def stop(number: int, frame: FrameType | None) -> None:
        again = readiness.stopping
        readiness.stopping = True
        if again or not delay_seconds:
            pass_on(number, frame)
            return
        loop.call_soon_threadsafe(stop_later, number)

    def stop_later(number: int) -> None:
        log.info("stopping: not ready any more", delay_seconds=delay_seconds)
        loop.call_later(delay_seconds, pass_on, number, None)

    for number in servers:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in servers.items():
            if signal.getsignal(number) is stop:
                signal.signal(number, handler)
