"""A request's transaction: committed before the answer, rolled back on any error."""

from collections.abc import AsyncIterator

import pytest
from fastapi import APIRouter
from httpx2 import AsyncClient
from sqlalchemy import text

from my_app.config import Flags, Settings
from my_app.core.app import create_app
from my_app.core.platform import database as platform
from my_app.core.platform.database import Session
from my_app.core.platform.engine import Database
from my_app.core.platform.feature import Feature

from tests.conftest import MakeClient
from tests.databases import on

router = APIRouter()


@router.post("/notes/{note}")
async def add_note(note: str, session: Session, *, crash: bool = False) -> str:
    """Write a note, then maybe fail."""
    await session.execute(text("INSERT INTO notes VALUES (:note)"), {"note": note})
    if crash:
        raise RuntimeError
    return note


@router.get("/notes")
async def list_notes(session: Session) -> list[str]:
    """List what was written."""
    return [*(await session.scalars(text("SELECT note FROM notes")))]


notes = Feature(name="notes", router=router)


@pytest.fixture
async def client(
    settings: Settings, flags: Flags, database: Database, make_client: MakeClient
) -> AsyncIterator[AsyncClient]:
    async with database.transaction(writing=True) as session:
        await session.execute(text("CREATE TABLE notes (note TEXT UNIQUE)"))
    features = on(database, [platform.feature, notes])
    async with make_client(create_app(settings, flags, features)) as client:
        yield client


async def test_what_a_request_wrote_the_next_one_reads(client: AsyncClient) -> None:
    await client.post("/notes/one")

    assert (await client.get("/notes")).json() == ["one"]


async def test_a_request_that_fails_leaves_nothing(client: AsyncClient) -> None:
    failed = await client.post("/notes/one", params={"crash": True})

    assert failed.status_code == 500
    assert (await client.get("/notes")).json() == []
