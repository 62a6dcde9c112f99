"""Readiness: whether this process should be sent requests."""

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import NamedTuple

import structlog
from fastapi import FastAPI

from .errors import DomainError
from .feature import Check, NotReadyError

log = structlog.stdlib.get_logger(__name__)

OK = "ok"


class Answer(NamedTuple):
    """What a check found."""

    ready: bool
    said: str


STOPPING = Answer(ready=False, said="stopping")


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
        self._answer: dict[str, Answer] = {}
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def ask(self, app: FastAPI) -> dict[str, Answer]:
        """Return what each check found, by its name."""
        if self.stopping:
            return {"server": STOPPING}
        async with self._lock:
            if monotonic() - self._asked_at >= self.cache_seconds:
                answers = (self._run(*check, app) for check in self.checks.items())
                results = await asyncio.gather(*answers)
                self._answer = dict(zip(self.checks, results, strict=True))
                self._asked_at = monotonic()
        return self._answer

    async def _run(self, name: str, check: Check, app: FastAPI) -> Answer:
        try:
            async with asyncio.timeout(self.timeout_seconds):
                return Answer(ready=True, said=await check(app) or OK)
        except TimeoutError:
            log.warning("not ready: no answer in time", check=name)
            said = f"no answer within {self.timeout_seconds:g} s"
        except (NotReadyError, DomainError) as error:
            log.warning("not ready", check=name, exc_info=error)
            said = str(error)
        except Exception as error:
            # The message may hold an address or a password; it is for the log only.
            log.warning("not ready", check=name, exc_info=error)
            said = f"failed: {type(error).__name__}"
        return Answer(ready=False, said=said)
