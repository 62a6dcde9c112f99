"""Readiness: whether this process should receive requests."""

import asyncio
import traceback
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
        ready, cause = False, None
        try:
            async with asyncio.timeout(self.timeout_seconds):
                ready, message = True, await check(app) or OK
        except TimeoutError:
            message = f"no answer within {self.timeout_seconds:g} s"
        except (NotReadyError, DomainError) as error:
            message, cause = str(error), error.__cause__
        except Exception as error:
            # The message may contain an address or a password: log only.
            message, cause = f"failed: {type(error).__name__}", error
        before = self._results.get(name)
        if ready != (before is None or before.ready):
            # Once per change: probes come every few seconds.
            level, event = (20, "ready again") if ready else (30, "not ready")
            log.log(level, event, check=name, reason=message, cause=brief(cause))
        return CheckResult(ready=ready, message=message)


def brief(cause: BaseException | None) -> str | None:
    """Return an error's type and the first line of its message."""
    line = "".join(traceback.format_exception_only(cause)).partition("\n")[0]
    return line if cause else None
