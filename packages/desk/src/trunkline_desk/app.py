"""The web process, which reads the store and records what people ask for."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import DataError, SQLAlchemyError
from starlette.exceptions import HTTPException
from trunkline.errors import UsageError

from trunkline_desk import api, pages, stream, web
from trunkline_desk.services import Desk
from trunkline_desk.store import Store
from trunkline_desk.web import Visit

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'; object-src 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_STATIC = Path(__file__).parent / "static"


def create_app(
    desk: Desk, store: Store | None = None, now: Callable[[], float] = time.time
) -> FastAPI:
    """Create the web application."""
    store = store or Store(desk.database)
    pulse = stream.Pulse(store)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        beat = asyncio.create_task(pulse.beat())
        yield
        beat.cancel()
        store.close()

    app = FastAPI(title="Desk", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.desk, app.state.store, app.state.now = desk, store, now
    app.state.pulse = pulse
    # Read once: a new environment needs a restart, like any other setting.
    app.state.places = desk.places()

    @app.middleware("http")
    async def guard(
        request: Request, answer: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = foreign(desk, request) or await answer(request)
        response.headers.update(HEADERS)
        if not request.url.path.startswith("/static/"):
            response.headers["Cache-Control"] = "no-store"
        return response

    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.add_exception_handler(HTTPException, _explain)
    app.add_exception_handler(SQLAlchemyError, _explain)
    app.add_exception_handler(RequestValidationError, _invalid)
    for module in (web, api, stream, pages):
        app.include_router(module.router)
    if desk.oidc:
        _add_oidc(app, desk)
    return app


def _explain(request: Request, error: Exception) -> Response:
    """Render an HTTP error as JSON for scripts, or as a page."""
    status, said, headers = 503, "The database of the desk does not answer.", None
    if isinstance(error, HTTPException):
        status, said, headers = error.status_code, error.detail, error.headers
    elif isinstance(error, DataError):
        # PostgreSQL has no text with a NUL character.
        status, said = 422, "This cannot be done. The text cannot be stored."
    else:
        print(f"trunkline-desk: {error}", file=sys.stderr, flush=True)
        said += " What is deployed goes on; try again in a moment."
    if request.url.path.startswith("/api/"):
        return JSONResponse({"detail": said}, status, headers)
    answer = Visit(request).shown("error.html", status, said=said)
    answer.headers.update(headers or {})
    return answer


async def _invalid(request: Request, error: Exception) -> Response:
    """Name the invalid field of a form, an address or a script's JSON."""
    if not isinstance(error, RequestValidationError):
        raise error
    faults = (f"{one['loc'][-1]}: {one['msg']}" for one in error.errors())
    said = f"This cannot be done. {'; '.join(faults)}."
    # JSON can name a field by half a character, which no answer can repeat.
    said = said.encode(errors="replace").decode()
    return _explain(request, HTTPException(422, said))


def _add_oidc(app: FastAPI, desk: Desk) -> None:
    try:
        from trunkline_desk import oidc  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UsageError(
            f"[oidc] needs what is not installed: {error.name}\n"
            "  type next: uv tool install 'trunkline-desk[oidc]'"
        ) from error
    oidc.install(app, desk)


def foreign(desk: Desk, request: Request) -> Response | None:
    """Refuse requests for another host, from another site's page, or too large."""
    hosts = request.headers.getlist("host")
    if hosts != [desk.host]:
        # None, or several of which a proxy may have read another one.
        status = 421 if len(hosts) == 1 else 400
        return PlainTextResponse(f"This is {desk.host}.", status)
    if request.method != "POST":
        return None
    origin = request.headers.get("origin")
    if origin and origin.partition("//")[2] != desk.host:
        return PlainTextResponse("This form was sent by another site.", 403)
    size = request.headers.get("content-length", "0")
    # It is read into memory before anybody has signed in.
    if "transfer-encoding" in request.headers or not size.isdecimal():
        return PlainTextResponse("Send it with a Content-Length.", 411)
    if len(size) > len("999999"):
        return PlainTextResponse("Send less than a million bytes.", 413)
    return None
