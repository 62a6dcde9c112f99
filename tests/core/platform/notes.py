"""A feature with its own table, for tests of the database."""

import asyncio

from fastapi import APIRouter, HTTPException
from sqlalchemy import Column, MetaData, String, Table, text

from my_app.core.platform.db.database import Session
from my_app.core.platform.db.engine import Database
from my_app.core.platform.feature import Feature

metadata = MetaData()
NOTES = Table("test_notes", metadata, Column("note", String(100), unique=True))

router = APIRouter()


@router.post("/notes/{note}")
async def add_note(note: str, session: Session, pause: float = 0) -> str:
    """Write a note, then optionally pause."""
    await session.execute(NOTES.insert().values(note=note))
    await asyncio.sleep(pause)
    return note


@router.post("/refused/{note}")
async def refuse_note(note: str, session: Session) -> None:
    """Write a note, then respond with an error."""
    await session.execute(NOTES.insert().values(note=note))
    raise HTTPException(409)


@router.post("/crash/{note}")
async def crash_after_note(note: str, session: Session) -> None:
    """Write a note, then fail with an unhandled exception."""
    await session.execute(NOTES.insert().values(note=note))
    raise RuntimeError


@router.get("/notes")
async def list_notes(session: Session) -> list[str]:
    """List the notes."""
    return [*(await session.scalars(NOTES.select().with_only_columns(NOTES.c.note)))]


@router.post("/sql")
async def run_sql(statement: str, session: Session) -> None:
    """Run a statement, to provoke errors of the database."""
    await session.execute(text(statement))


notes = Feature(name="notes", router=router)


async def create_notes(database: Database) -> None:
    """Create the feature's table."""
    async with database.transaction(writing=True) as session:
        await (await session.connection()).run_sync(metadata.create_all)
