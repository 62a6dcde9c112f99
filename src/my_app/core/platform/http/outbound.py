"""Calls to other services, by one client that bounds and observes each of them.

Unused until the service calls another one. Then `uv add httpx2 stamina`, list
`outbound.feature` in FEATURES, and give an endpoint `client: OutboundClient`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from time import monotonic, perf_counter
from typing import Annotated, Any
from urllib.request import getproxies, proxy_bypass

import httpx2
import stamina
import structlog
from fastapi import APIRouter, Depends, FastAPI, Request
from prometheus_client import CollectorRegistry, Histogram
from pydantic import Field

from ....config import Settings
from ..errors import DomainError
from ..feature import Feature
from ..request_id import current_request_id

log = structlog.stdlib.get_logger(__name__)

IDEMPOTENT = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PUT"})
# Sent by a host, or by a proxy in front of it, that cannot answer now.
UNABLE = frozenset({429, 502, 503, 504})
NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


class OutboundSettings(Settings):
    """How long, how often and how many calls at a time."""

    outbound_timeout_seconds: float = Field(
        3, gt=0, description="Time to call another service once, with the response"
    )
    outbound_attempts: int = Field(
        3, ge=1, le=10, description="Attempts at a call that is safe to repeat"
    )
    outbound_concurrency: int = Field(
        20, ge=1, description="Calls in flight to one host, per process"
    )
    outbound_circuit_failures: int = Field(
        5, ge=1, description="Failures in a row after which calls to a host fail fast"
    )
    outbound_circuit_seconds: float = Field(
        10, gt=0, description="Time between trials of a host whose calls fail fast"
    )


class UnavailableError(DomainError):
    """Another service did not respond, or responds that it is unable to."""

    status = 503
    code = "dependency_unavailable"


class CircuitOpenError(httpx2.TransportError):
    """The host failed too often to be called now."""


# Errors that say nothing new about the host.
NOT_THE_HOST = (
    CircuitOpenError,
    httpx2.LocalProtocolError,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
)


class Circuit:
    """Counts a host's failures in a row; after `limit` of them one call tries it."""

    def __init__(self, host: str, *, limit: int, seconds: float) -> None:
        self.host = host
        self.limit = limit
        self.seconds = seconds
        self.failures = 0
        self.next_trial = 0.0

    def check(self) -> None:
        """Admit a call.

        Raises:
            CircuitOpenError: the host is down, and this is not the time to try it.
        """
        if self.failures >= self.limit:
            if (now := monotonic()) < self.next_trial:
                raise CircuitOpenError(f"{self.failures} failures in a row")
            self.next_trial = now + self.seconds

    def record(self, *, failed: bool) -> None:
        """Record how a call ended."""
        before, self.failures = self.failures, self.failures + 1 if failed else 0
        if self.failures >= self.limit:
            self.next_trial = monotonic() + self.seconds
        if (before >= self.limit) != (self.failures >= self.limit):
            event = "circuit opened" if failed else "circuit closed"
            log.warning(event, host=self.host)


class PoolPerHost(httpx2.AsyncBaseTransport):
    """A pool of connections for each host, so that a slow one blocks no other."""

    def __init__(self, concurrency: int) -> None:
        self.limits = httpx2.Limits(max_connections=concurrency)
        self.tls = httpx2.create_ssl_context()
        self.pools: dict[tuple[str, bytes], httpx2.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request over its host's pool."""
        host = request.url.scheme, request.url.netloc
        if host not in self.pools:
            self.pools[host] = httpx2.AsyncHTTPTransport(
                verify=self.tls, limits=self.limits, proxy=proxy_for(request.url)
            )
        return await self.pools[host].handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        for pool in self.pools.values():
            await pool.aclose()


def proxy_for(url: httpx2.URL) -> str | None:
    """Return the proxy that HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY name."""
    # httpx2 reads them only without a transport of one's own.
    if proxy_bypass(url.host) or proxy_bypass(url.netloc.decode("ascii")):
        return None
    proxies = getproxies()
    return proxies.get(url.scheme) or proxies.get("all")


class Outbound(httpx2.AsyncClient):
    """httpx2's client with limits, retries where they are safe, circuits and metrics.

    Time is limited from the connection to the end of the response, so a host that hangs
    or drips cannot hold a call. `timeout=` of a call replaces the limit.

    With `stream`, all of this ends at the response's headers. Each part of the body
    then gets that time, because nobody knows how long the whole takes; the reader may
    limit it with `asyncio.timeout`, and gets httpx2's own errors.
    """

    def __init__(self, settings: OutboundSettings, registry: CollectorRegistry) -> None:
        seconds = settings.outbound_timeout_seconds
        super().__init__(
            transport=PoolPerHost(settings.outbound_concurrency),
            # A request that was not sent is then known to be safe to repeat.
            timeout=httpx2.Timeout(seconds, connect=seconds / 2, pool=seconds / 2),
            # One user's cookies must not be sent for another.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )
        self.settings = settings
        self.circuits: dict[str, Circuit] = {}
        self.duration = Histogram(
            "outbound_request_duration_seconds",
            "Time of an attempt to call another service; status is or names its end.",
            ("host", "method", "status"),
            registry=registry,
        )

    async def send(
        self,
        request: httpx2.Request,
        **options: Any,  # noqa: ANN401 - those of the client
    ) -> httpx2.Response:
        """Send a request with the request id and the trace; retry it if that is safe.

        Raises:
            UnavailableError: no response, or one with a status of UNABLE.
        """
        if identifier := current_request_id():
            request.headers["X-Request-ID"] = identifier
        if self.settings.otlp_endpoint:
            from opentelemetry.propagate import inject  # noqa: PLC0415 - an extra

            inject(request.headers)
        try:
            async for attempt in stamina.retry_context(
                on=pause_before_retry(request, self.settings.outbound_timeout_seconds),
                attempts=self.settings.outbound_attempts,
                timeout=None,
                wait_max=1,
                wait_jitter=0.1,
            ):
                with attempt:
                    return await self.attempt(request, **options)
        except httpx2.HTTPError as error:
            # The log gets it, the client does not.
            at = f"{request.method} {host_of(request)}"
            cause = OSError(f"{at}: {type(error).__name__} {error}".strip())
            raise UnavailableError(UNAVAILABLE) from cause
        raise AssertionError("stamina ends with an exception")

    async def attempt(
        self,
        request: httpx2.Request,
        **options: Any,  # noqa: ANN401
    ) -> httpx2.Response:
        """Send a request once, if its host's circuit lets it."""
        circuit, started = self.circuit_of(host_of(request)), perf_counter()
        limit = request.extensions.get("timeout", {}).get("read")
        status = "CancelledError"
        try:
            circuit.check()
            try:
                async with asyncio.timeout(limit):
                    response = await super().send(request, **options)
            except TimeoutError as error:
                raise httpx2.ReadTimeout(f"no response in {limit:g} s") from error
            status = str(response.status_code)
            circuit.record(failed=response.status_code in UNABLE)
            if response.status_code in UNABLE:
                await response.aclose()
                raise httpx2.HTTPStatusError(status, request=request, response=response)
        except httpx2.RequestError as error:
            status = type(error).__name__
            if not isinstance(error, NOT_THE_HOST):
                circuit.record(failed=True)
            raise
        else:
            return response
        finally:
            labels = circuit.host, request.method, status
            self.duration.labels(*labels).observe(perf_counter() - started)

    def circuit_of(self, host: str) -> Circuit:
        """Return the circuit of a host, closed at first."""
        limit = self.settings.outbound_circuit_failures
        seconds = self.settings.outbound_circuit_seconds
        new = Circuit(host, limit=limit, seconds=seconds)
        return self.circuits.setdefault(host, new)


UNAVAILABLE = "A service that this one depends on is not available. Try again later."


def host_of(request: httpx2.Request) -> str:
    """Return the host of a request, with its port unless it is the usual one."""
    return request.url.netloc.decode("ascii")


def pause_before_retry(
    request: httpx2.Request, longest: float
) -> Callable[[Exception], bool | float]:
    """Decide whether to retry: no, after the usual pause, or after so many seconds.

    It is safe if nothing was sent, or if the request is idempotent.
    """
    safe = request.method in IDEMPOTENT or "idempotency-key" in request.headers
    repeatable = safe and isinstance(request.stream, httpx2.ByteStream)

    def decide(error: Exception) -> bool | float:
        if isinstance(error, NOT_SENT):
            return True
        if not repeatable:
            return False
        if isinstance(error, httpx2.HTTPStatusError):
            given = error.response.headers.get("retry-after", "")
            seconds = float(given) if given.isdecimal() else True
            return seconds <= longest and seconds
        return isinstance(error, httpx2.RequestError) and not isinstance(
            error, NOT_THE_HOST
        )

    return decide


@asynccontextmanager
async def open_client(app: FastAPI) -> AsyncIterator[None]:
    """Provide the client while the application runs."""
    context = app.state.context
    registry = context.metrics.registry
    settings = context.settings.of(OutboundSettings)
    async with Outbound(settings, registry) as app.state.outbound:
        yield
    registry.unregister(app.state.outbound.duration)


async def get_client(request: Request) -> httpx2.AsyncClient:
    """Return the client of the application that handles this request."""
    client: httpx2.AsyncClient = request.app.state.outbound
    return client


OutboundClient = Annotated[httpx2.AsyncClient, Depends(get_client)]

feature = Feature(
    name="outbound",
    router=APIRouter(),
    lifespan=open_client,
    settings=OutboundSettings,
)
