"""What operators and their machines ask: alive, ready, which version, how busy."""

from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from ....config import Environment, Flags
from ..context import CurrentContext
from ..http.openapi import problem_responses
from ..http.problems import problem
from .landing_page import render_landing_page

router = APIRouter(tags=["operations"], responses=problem_responses(400, 500, 503))


class Alive(BaseModel):
    """The process runs and answers."""

    status: Literal["ok"] = Field("ok", examples=["ok"])


class Ready(BaseModel):
    """Requests may be sent here; every check passed."""

    status: Literal["ready"] = Field("ready", examples=["ready"])
    checks: dict[str, str] = Field(examples=[{"database.answers": "ok"}])


class Version(BaseModel):
    """What is running."""

    version: str = Field(examples=["1.2.0"])
    commit: str = Field(examples=["4f1c2d3e4b5a"])
    branch: str = Field(examples=["main"])
    built_at: str = Field(examples=["2026-11-21T10:00:00Z"])
    environment: Environment = Field(examples=["staging"])
    flags: dict[str, bool] | None = Field(
        None,
        description="State of each flag; not told in production",
        examples=[dict.fromkeys(Flags.model_fields, False)],
    )


@router.get("/", include_in_schema=False)
async def home(context: CurrentContext) -> HTMLResponse:
    """Say what this is, to a person who opens the service's address."""
    return HTMLResponse(render_landing_page(context))


@router.get("/healthz")
async def healthz() -> Alive:
    """Tell that the process is alive. Touches nothing else: no I/O."""
    return Alive()


@router.get("/readyz", response_model=Ready)
async def readyz(request: Request, context: CurrentContext) -> Ready | Response:
    """Tell whether to send requests here: every feature's checks pass."""
    answers = await context.readiness.ask(request.app)
    failed = {name: answer.said for name, answer in answers.items() if not answer.ready}
    if not failed:
        return Ready(checks={name: answer.said for name, answer in answers.items()})
    return problem(
        request.scope,
        HTTPStatus.SERVICE_UNAVAILABLE,
        code="not_ready",
        detail="Send requests elsewhere; errors lists what is not ready.",
        errors=[
            {"pointer": f"/checks/{name}", "detail": said}
            for name, said in failed.items()
        ],
    )


@router.get("/version", response_model_exclude_none=True)
async def version(context: CurrentContext) -> Version:
    """Tell which version, commit and branch run here, and with which flags."""
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
async def metrics(context: CurrentContext) -> Response:
    """Tell Prometheus how many requests were answered, how and how fast."""
    exposition = context.metrics.expose()
    return Response(exposition, headers={"content-type": CONTENT_TYPE_LATEST})
