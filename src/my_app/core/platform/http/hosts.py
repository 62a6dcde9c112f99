"""The host names that the service accepts."""

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from .headers import header
from .problems import problem

# Requested by IP address: by an orchestrator's probes and by Prometheus.
EXEMPT = frozenset({"/healthz", "/readyz", "/metrics"})


class TrustedHosts:
    """Refuses requests for other hosts, whose names could end up in links and caches.

    Unlike Starlette's middleware it sends a problem document and exempts probes.
    """

    def __init__(self, app: ASGIApp, *, allowed: Sequence[str]) -> None:
        self.app = app
        self.names = frozenset(name.lower() for name in allowed if "*" not in name)
        self.suffixes = tuple(
            name.lower().removeprefix("*") for name in allowed if name.startswith("*.")
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if its Host header is allowed."""
        if scope["type"] == "lifespan" or scope["path"] in EXEMPT:
            await self.app(scope, receive, send)
            return
        host = host_of(scope)
        if host in self.names or (self.suffixes and host.endswith(self.suffixes)):
            await self.app(scope, receive, send)
            return
        refusal = problem(
            scope,
            400,
            code="unknown_host",
            detail="The Host header names an unknown host. Allowed: APP_ALLOWED_HOSTS.",
        )
        await refusal(scope, receive, send)


def host_of(scope: Scope) -> str:
    """Return the requested host in lower case without its port; empty if none."""
    host = (header(scope, b"host") or b"").decode("latin-1").lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
