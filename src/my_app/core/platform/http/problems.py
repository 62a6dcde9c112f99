"""Errors as RFC 9457 problem documents, for every error that the service answers."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route
from starlette.types import Scope

from ..errors import DomainError
from ..request_id import current_request_id


class FieldProblem(BaseModel):
    """One part of the request that did not fit."""

    pointer: str = Field(examples=["/body/seats"])
    detail: str = Field(examples=["Input should be greater than or equal to 1"])


class ProblemDocument(BaseModel):
    """RFC 9457 problem details, with the id to look for in the logs."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    code: str = Field(examples=["not_found"])
    detail: str = Field(examples=["Nothing is at this address."])
    instance: str = Field(examples=["/nowhere"])
    request_id: str = Field(examples=["4f1c2d3e4b5a69788796a5b4c3d2e1f0"])
    errors: list[FieldProblem] | None = None


class ProblemResponse(JSONResponse):
    """A problem document. ASCII only: it may quote what is not valid Unicode."""

    media_type = "application/problem+json"

    def render(self, content: object) -> bytes:
        """Encode as JSON with everything outside ASCII escaped."""
        return json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()


# RFC 9110's names, which Python's own table has from 3.13 on.
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}

# What a caller is told where the error itself says nothing more.
DETAILS = {
    400: "The request could not be read. Check its syntax against /docs.",
    404: "Nothing is at this address. /docs lists what is.",
    405: "The Allow header names the methods that this address answers.",
    408: "The request body did not arrive in time. Send it again, faster.",
    413: "The request body is too large.",
    415: "Send the body as application/json.",
    422: "The request does not fit; errors lists what to change.",
    500: "The service failed. Give its operators the request_id.",
    503: "The service did not answer in time. Try again later.",
}

UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE
# Short: what is unavailable is most often so for moments, as in a restart.
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
    """Build the problem document that answers the request of `scope`."""
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
    """Fill the members of a problem document, as a mapping ready for JSON."""
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
    """Return the name of a status; "Error" for a number that has none."""
    try:
        return TITLES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of the application with a problem document."""
    app.exception_handler(HTTPException)(answer_http_error)
    app.exception_handler(RequestValidationError)(answer_invalid_request)
    app.exception_handler(DomainError)(answer_domain_error)


async def answer_http_error(request: Request, error: HTTPException) -> ProblemResponse:
    """Translate the framework's own errors: 404, 405, 413 and the like."""
    told = error.detail not in (title_of(error.status_code), "")
    detail = error.detail if told else None
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(allowed_methods(request))
    return problem(request.scope, error.status_code, detail=detail, headers=headers)


def allowed_methods(request: Request) -> list[str]:
    """List what an address answers: the framework names its first route's only."""
    routes = (route for route in request.app.routes if isinstance(route, Route))
    matching = (
        route for route in routes if route.matches(request.scope)[0] is not Match.NONE
    )
    return sorted({method for route in matching for method in route.methods or ()})


async def answer_domain_error(request: Request, error: DomainError) -> ProblemResponse:
    """Translate a feature's error by the status and code it carries."""
    return problem(request.scope, error.status, detail=str(error), code=error.code)


async def answer_invalid_request(
    request: Request, error: RequestValidationError
) -> ProblemResponse:
    """Tell apart what FastAPI calls invalid: the syntax, the media type, the values.

    What was sent is never repeated: it may be a secret, and it may be huge.
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
    """Tell whether the request says that its body is JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip()
    main, _, sub = media_type.lower().partition("/")
    return main == "application" and (sub == "json" or sub.endswith("+json"))


def pointer(location: Sequence[str | int]) -> str:
    """Write a location as a JSON pointer (RFC 6901), a long name cut short."""
    parts = (str(part)[:64].replace("~", "~0").replace("/", "~1") for part in location)
    return "".join(f"/{part}" for part in parts)
