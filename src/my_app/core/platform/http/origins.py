"""Pages of other origins that may call the service (CORS)."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .problems import problem


class Origins(CORSMiddleware):
    """Starlette's middleware, but a refused preflight gets a problem document."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """Allow the request, or name what is not allowed."""
        response = super().preflight_response(request_headers)
        if response.status_code == HTTPStatus.OK:
            return response
        return Refusal(response.body, headers=dict(response.headers))


class Refusal(Response):
    """Turns plain text into a problem document; keeps the headers of CORS."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        headers = self.headers.items()
        kept = {name: it for name, it in headers if not name.startswith("content-")}
        detail = f"{bytes(self.body).decode()}. Allowed: APP_CORS_ORIGINS."
        refused = problem(scope, 400, code="cors_refused", detail=detail, headers=kept)
        await refused(scope, receive, send)
