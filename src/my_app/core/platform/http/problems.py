"""RFC 9457 problem documents for every error response."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route
from starlette.types import Scope

from ..errors import DomainError
from ..request_id import current_request_id

log = structlog.stdlib.get_logger(__name__)


class FieldProblem(BaseModel):
    """One invalid part of the request."""

    pointer: str = Field(examples=["/body/seats"])
    detail: str = Field(examples=["Input should be greater than or equal to 1"])


class ProblemDocument(BaseModel):
    """RFC 9457 problem details, with the request id to look up in the logs."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    code: str = Field(examples=["not_found"])
    detail: str = Field(examples=["There is nothing at this URL."])
    instance: str = Field(examples=["/nowhere"])
    request_id: str = Field(examples=["4f1c2d3e4b5a69788796a5b4c3d2e1f0"])
    errors: list[FieldProblem] | None = None


class ProblemResponse(JSONResponse):
    """A problem document. ASCII only: it may quote invalid Unicode."""

    media_type = "application/problem+json"

    def render(self, content: object) -> bytes:
        """Encode as JSON with non-ASCII characters escaped."""
        return json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()


# The names of RFC 9110; Python has them since 3.13.
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}

# The detail of errors that carry none of their own.
DETAILS = {
    400: "The request could not be parsed. Check its syntax against /docs.",
    403: "The caller lacks a role that this needs.",
    404: "There is nothing at this URL. See /docs for what there is.",
    405: "The Allow header lists the methods that this URL supports.",
    408: "The request body did not arrive in time. Send it again.",
    413: "The request body is too large.",
    415: "Send the body as application/json.",
    422: "The request is invalid; errors lists what to change.",
    500: "The service failed. Report the request_id to its operators.",
    503: "The service did not respond in time. Try again later.",
}

# May have no body, whoever asks for one.
WITHOUT_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE
# Short: most outages last only moments, such as a restart.
RETRY_AFTER_SECONDS = "1"


def problem(
    scope: Scope,
    status: int,
    *,
    detail: str | None = None,
    code: str | None = None,
    errors: Sequence[Mapping[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> ProblemResponse:
    """Build the problem document in response to the request of `scope`."""
    content = problem_content(
        status, instance=scope["path"], detail=detail, code=code, errors=errors
    )
    hints = {"retry-after": RETRY_AFTER_SECONDS} if status == UNAVAILABLE else {}
    return ProblemResponse(
        content, status_code=status, headers=hints | dict(headers or {})
    )


def problem_content(
    status: int,
    *,
    instance: str,
    detail: str | None = None,
    code: str | None = None,
    errors: Sequence[Mapping[str, str]] | None = None,
) -> dict[str, Any]:
    """Return the members of a problem document, ready for JSON."""
    title = title_of(status)
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "code": code or title.lower().replace(" ", "_").replace("-", "_"),
        "detail": detail or DETAILS.get(status, title),
        "instance": instance,
        "request_id": current_request_id(),
    }
    if errors:
        content["errors"] = list(errors)
    return content


def title_of(status: int) -> str:
    """Return the name of a status; "Error" if it has none."""
    try:
        return TITLES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def add_problem_handlers(app: FastAPI) -> None:
    """Respond to every error of the application with a problem document."""
    app.exception_handler(HTTPException)(answer_http_error)
    app.exception_handler(RequestValidationError)(answer_invalid_request)
    app.exception_handler(DomainError)(answer_domain_error)


async def answer_http_error(request: Request, error: HTTPException) -> Response:
    """Translate the framework's own errors, such as 404, 405 and 413."""
    headers = dict(error.headers or {})
    if error.status_code in WITHOUT_BODY:
        return Response(status_code=error.status_code, headers=headers)
    given: object = error.detail
    text = given if isinstance(given, str) else json.dumps(given, default=str)
    detail = None if text in (title_of(error.status_code), "") else text
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(allowed_methods(request))
    return problem(request.scope, error.status_code, detail=detail, headers=headers)


def allowed_methods(request: Request) -> list[str]:
    """List the methods of a URL: the framework only knows those of its first route."""
    routes = (route for route in request.app.routes if isinstance(route, Route))
    matching = (
        route for route in routes if route.matches(request.scope)[0] is not Match.NONE
    )
    return sorted({method for route in matching for method in route.methods or ()})


async def answer_domain_error(request: Request, error: DomainError) -> ProblemResponse:
    """Translate a domain error by its status and code; log it if it is ours."""
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        cause = str(error.__cause__).partition("\n")[0]
        log.error(str(error), code=error.code, cause=cause)
    return problem(request.scope, error.status, detail=str(error), code=error.code)


async def answer_invalid_request(
    request: Request, error: RequestValidationError
) -> ProblemResponse:
    """Distinguish invalid syntax (400), media type (415) and values (422).

    The input is never repeated: it may be secret, and it may be huge.
    """
    details = error.errors()
    if any(detail["type"] == "json_invalid" for detail in details):
        return problem(request.scope, 400, detail="The body is not valid JSON.")
    unread = any(
        detail["loc"] == ("body",) and detail["type"] != "missing" for detail in details
    )
    if unread and not is_json(request):
        return problem(request.scope, 415, headers={"accept": "application/json"})
    errors = [
        {"pointer": pointer(detail["loc"]), "detail": detail["msg"]}
        for detail in details
    ]
    return problem(request.scope, 422, errors=errors)


def is_json(request: Request) -> bool:
    """Return whether the request declares its body as JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip()
    main, _, sub = media_type.lower().partition("/")
    return main == "application" and (sub == "json" or sub.endswith("+json"))


def pointer(location: Sequence[str | int]) -> str:
    """Return a location as a JSON pointer (RFC 6901) with long names cut."""
    parts = (str(part)[:64].replace("~", "~0").replace("/", "~1") for part in location)
    return "".join(f"/{part}" for part in parts)
