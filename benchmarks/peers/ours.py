"""The service as it ships, with one trivial feature."""

from asyncio import Semaphore, sleep

from fastapi import APIRouter

from my_app.config import Settings, load
from my_app.core.app import create_app
from my_app.core.platform.feature import Feature
from my_app.core.platform.observability.logs import configure_logging

router = APIRouter()
connections = Semaphore(4)


@router.get("/hello")
async def hello() -> dict[str, str]:
    """Answer as the peers do."""
    return {"message": "hello"}


@router.get("/work")
async def work() -> dict[str, str]:
    """Wait for one of 4 connections, then 20 ms for its answer, as of a database."""
    async with connections:
        await sleep(0.02)
    return {"message": "done"}


settings, flags = load(Settings)
configure_logging(settings)
app = create_app(settings, flags, features=[Feature(name="hello", router=router)])
