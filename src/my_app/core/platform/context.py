"""The application context, and how endpoints get at it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from ...config import Flags, Settings
from .build import Build
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


async def get_context(request: Request) -> Context:
    """Return the context of the application that handles this request."""
    context: Context = request.app.state.context
    return context


async def get_flags(request: Request) -> Flags:
    """Return the flags of the application that handles this request."""
    return (await get_context(request)).flags


CurrentContext = Annotated[Context, Depends(get_context)]
CurrentFlags = Annotated[Flags, Depends(get_flags)]


class Behind:
    """Hides endpoints while a flag is off: 404, and nothing of them in /docs.

    In `dependencies` of one endpoint or of a router: `[Depends(Behind("ENABLE_X"))]`.
    """

    def __init__(self, flag: str) -> None:
        self.flag = flag

    async def __call__(self, flags: CurrentFlags) -> None:
        """Refuse what the application has not left out: a router in a router."""
        if not getattr(flags, self.flag):
            raise HTTPException(404)
