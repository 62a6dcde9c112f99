"""Readiness: whether this process should receive requests."""

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


class CheckResult(NamedTuple):
    """The outcome of one check."""

    ready: bool
    message: str


STOPPING = CheckResult(ready=False, message="stopping")


class Readiness:
    """Runs every feature's checks concurrently, each with a timeout.

    Results are cached briefly, and callers that arrive during a run share it, so that
    frequent probes cause no load.
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
        self._results: dict[str, CheckResult] = {}
        self._checked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def check(self, app: FastAPI) -> dict[str, CheckResult]:
        """Return the result of each check by name."""
        if self.stopping:
            return {"server": STOPPING}
        async with self._lock:
            if monotonic() - self._checked_at >= self.cache_seconds:
                runs = (self._run(*check, app) for check in self.checks.items())
                results = await asyncio.gather(*runs)
                self._results = dict(zip(self.checks, results, strict=True))
                self._checked_at = monotonic()
        return self._results

    async def _run(self, name: str, check: Check, app: FastAPI) -> CheckResult:
        try:
            async with asyncio.timeout(self.timeout_seconds):
                return CheckResult(ready=True, message=await check(app) or OK)
        except TimeoutError:
            log.warning("not ready: check timed out", check=name)
            message = f"no answer within {self.timeout_seconds:g} s"
        except (NotReadyError, DomainError) as error:
            log.warning("not ready", check=name, exc_info=error)
            message = str(error)
        except Exception as error:
            # The message may contain an address or a password: log only.
            log.warning("not ready", check=name, exc_info=error)
            message = f"failed: {type(error).__name__}"
        return CheckResult(ready=False, message=message)
