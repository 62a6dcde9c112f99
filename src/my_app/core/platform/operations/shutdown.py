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
def drain_before_stop(readiness: Readiness, *, delay_seconds: float) -> Iterator[None]:
    """On a stop signal, turn readiness off first and stop the server after a delay.

    In between, load balancers learn from /readyz to send no more requests, while those
    that still arrive are served. The server then closes its port, finishes requests in
    flight and closes the application. A second signal is not delayed.

    Works with any server that installs its handlers before the application starts, as
    uvicorn does. Outside the main thread it does nothing.
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
        repeated = readiness.stopping
        readiness.stopping = True
        if repeated or not delay_seconds:
            pass_on(number, frame)
            return
        loop.call_soon_threadsafe(stop_later, number)

    def stop_later(number: int) -> None:
        log.info("stopping: no longer ready", delay_seconds=delay_seconds)
        loop.call_later(delay_seconds, pass_on, number, None)

    for number in servers:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in servers.items():
            if signal.getsignal(number) is stop:
                signal.signal(number, handler)
