"""A separate port for metrics, which the public port then does not serve."""

from starlette.types import ASGIApp, Receive, Scope, Send

from .problems import problem


class MetricsPort:
    """Serves /metrics on one port only, and nothing else there."""

    def __init__(self, app: ASGIApp, *, port: int) -> None:
        self.app = app
        self.port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if it came to the right port."""
        if scope["type"] != "lifespan":
            _, port = scope.get("server") or ("", None)
            if (port == self.port) != (scope["path"] == "/metrics"):
                await problem(scope, 404)(scope, receive, send)
                return
        await self.app(scope, receive, send)
