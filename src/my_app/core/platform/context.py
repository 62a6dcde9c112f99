"""The application context, and how endpoints get at it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from ...config import Flags, Settings
from .actor import Actor
from .build import Build
from .http.headers import FROM_PROXY
from .observability.metrics import Metrics
from .readiness import Readiness


@dataclass(frozen=True, kw_only=True)
class Context:
    """The parts that make up one application."""

    settings: Settings
    flags: Flags
    build: Build
    metrics: Metrics
    readiness: Readiness


def context_of(request: Request) -> Context:
    """Return the context of the application that handles this request.

    Not a dependency, which FastAPI resolves anew for each request: 7 % of the time of a
    quote.
    """
    context: Context = request.app.state.context
    return context


async def get_actor(request: Request) -> Actor:
    """Return whom a trusted proxy has authenticated, or nobody.

    To accept tokens instead, verify them here. Of a repeated header, one came from the
    client: neither counts. In development, anybody may send them.
    """
    settings = context_of(request).settings
    believed = settings.proxy_authenticates and getattr(
        request.state, FROM_PROXY, False
    )
    if not (believed or settings.logs_for_people):
        return Actor()
    users = request.headers.getlist("x-forwarded-user")
    groups = request.headers.getlist("x-forwarded-groups")
    if len(users) != 1 or not users[0] or len(groups) > 1:
        return Actor()
    roles = (role.strip() for role in "".join(groups).split(","))
    return Actor(id=users[0], roles=frozenset(filter(None, roles)))


CurrentActor = Annotated[Actor, Depends(get_actor)]


class Behind:
    """Hides endpoints while a flag is off: 404, and nothing of them in /docs.

    In `dependencies` of one endpoint or of a router: `[Depends(Behind("ENABLE_X"))]`.
    """

    def __init__(self, flag: str) -> None:
        self.flag = flag

    async def __call__(self, request: Request) -> None:
        """Answer 404 on routes of nested routers, which are not left out."""
        if not getattr(context_of(request).flags, self.flag):
            raise HTTPException(404)
