"""Readiness: whether this process should be sent requests."""

import asyncio
from collections.abc import Mapping
from time import monotonic

import structlog
from fastapi import FastAPI

from my_app.core.platform.feature import Check

log = structlog.stdlib.get_logger(__name__)

OK = "ok"
STOPPING = "stopping"


class Readiness:
    """Asks every feature's checks at once, each within a time, and keeps the answer.

    The answer is kept for a moment, and callers that come while the checks run wait
    for the same run, so that a probe that asks often loads nothing.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        *,
        timeout_seconds: float,
        cache_seconds: float,
    ) -> None:
        self.checks = checks
        self.timeout_seconds = timeout_seconds
        self.cache_seconds = cache_seconds
        self.stopping = False
        self._answer: dict[str, str] = {}
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def ask(self, app: FastAPI) -> dict[str, str]:
        """Return "ok", or what is wrong, by name of the check."""
        if self.stopping:
            return {"server": STOPPING}
        async with self._lock:
            if monotonic() - self._asked_at >= self.cache_seconds:
                answers = (self._run(*check, app) for check in self.checks.items())
                results = await asyncio.gather(*answers)
                self._answer = dict(zip(self.checks, results, strict=True))
                self._asked_at = monotonic()
        return self._answer

    async def _run(self, name: str, check: Check, app: FastAPI) -> str:
        try:
            async with asyncio.timeout(self.timeout_seconds):
                await check(app)
        except TimeoutError:
            log.warning("not ready: no answer in time", check=name)
            return f"no answer within {self.timeout_seconds:g} s"
        except Exception as error:
            # The message may hold an address or a password; it is for the log only.
            log.warning("not ready", check=name, exc_info=error)
            return f"failed: {type(error).__name__}"
        return OK
