"""Endpoints for operators: health, readiness, version, metrics, landing page."""

from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from ....config import Environment, Flags
from ..context import context_of
from ..http.openapi import problem_responses
from ..http.problems import problem
from .landing_page import render_docs, render_landing_page

router = APIRouter(tags=["operations"], responses=problem_responses(400, 500, 503))


class Alive(BaseModel):
    """The process is alive."""

    status: Literal["ok"] = Field("ok", examples=["ok"])


class Ready(BaseModel):
    """The process may receive requests; every check passed."""

    status: Literal["ready"] = Field("ready", examples=["ready"])
    checks: dict[str, str] = Field(examples=[{"database.reachable": "ok"}])


class Version(BaseModel):
    """The running build."""

    version: str = Field(examples=["1.2.0"])
    commit: str = Field(examples=["4f1c2d3e4b5a"])
    branch: str = Field(examples=["main"])
    built_at: str = Field(examples=["2026-11-21T10:00:00Z"])
    environment: Environment = Field(examples=["staging"])
    flags: dict[str, bool] | None = Field(
        None,
        description="State of each flag; omitted in production",
        examples=[dict.fromkeys(Flags.model_fields, False)],
    )


@router.get("/", include_in_schema=False)
async def home(request: Request) -> HTMLResponse:
    """Show the landing page."""
    return HTMLResponse(render_landing_page(context_of(request)))


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    """Show the documentation, unless it is switched off."""
    if not context_of(request).settings.docs:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return HTMLResponse(render_docs())


@router.get("/healthz")
async def healthz() -> Alive:
    """Report that the process is alive. Does no I/O."""
    return Alive()


@router.get("/readyz", response_model=Ready)
async def readyz(request: Request) -> Ready | Response:
    """Report whether this process may receive requests: every check passes."""
    results = await context_of(request).readiness.check(request.app)
    failed = {name: each.message for name, each in results.items() if not each.ready}
    if not failed:
        return Ready(checks={name: each.message for name, each in results.items()})
    return problem(
        request.scope,
        HTTPStatus.SERVICE_UNAVAILABLE,
        code="not_ready",
        detail="This process is not ready; errors lists the failed checks.",
        errors=[
            {"pointer": f"/checks/{name}", "detail": message}
            for name, message in failed.items()
        ],
    )


@router.get("/version", response_model_exclude_none=True)
async def version(request: Request) -> Version:
    """Report the running version, commit, branch and flags."""
    context = context_of(request)
    return Version(
        version=context.build.version,
        commit=context.build.commit,
        branch=context.build.branch,
        built_at=context.build.built_at,
        environment=context.settings.environment,
        flags=None if context.settings.production else context.flags.enabled(),
    )


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        HTTPStatus.OK: {
            "description": "Metrics in Prometheus's text format",
            "content": {
                "text/plain": {
                    "schema": {"type": "string"},
                    "example": 'build_info{version="1.2.0",branch="main"} 1.0\n',
                }
            },
        }
    },
)
async def metrics(request: Request) -> Response:
    """Expose metrics to Prometheus."""
    exposition = context_of(request).metrics.expose()
    return Response(exposition, headers={"content-type": CONTENT_TYPE_LATEST})
