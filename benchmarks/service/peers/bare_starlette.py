"""Starlette with nothing added: the limit of what FastAPI could reach."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def hello(_: Request) -> JSONResponse:
    """Answer as the peers do."""
    return JSONResponse({"message": "hello"})


app = Starlette(routes=[Route("/hello", hello)])
