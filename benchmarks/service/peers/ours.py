"""The service as it ships, with billing and two trivial features."""

from asyncio import Semaphore, sleep

from fastapi import APIRouter

from my_app.config import Settings, load
from my_app.core import billing
from my_app.core.app import create_app
from my_app.core.platform.feature import Feature
from my_app.core.platform.observability.logs import configure_logging

small = APIRouter()
busy = APIRouter()
connections = Semaphore(4)


@small.get("/hello")
async def hello() -> dict[str, str]:
    """Answer as the peers do."""
    return {"message": "hello"}


@busy.get("/work")
async def work() -> dict[str, str]:
    """Wait for one of 4 connections, then 20 ms for its answer, as of a database."""
    async with connections:
        await sleep(0.02)
    return {"message": "done"}


settings, flags = load(Settings)
configure_logging(settings)
features = [
    Feature(name="small", router=small),
    billing.feature,
    Feature(name="busy", router=busy),
]
app = create_app(settings, flags, features)
