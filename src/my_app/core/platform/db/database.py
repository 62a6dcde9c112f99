"""The database as features see it: one transaction for each request.

SQLAlchemy takes longer to import than the rest of the service, so nothing here
imports it: `engine.py` does, once the application starts.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, FastAPI, Request

from ..feature import Feature, NotReadyError
from .revisions import Revisions, read_revisions

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from .engine import Database

READY = {
    "same": "same: the database is at what this build needs",
    "ahead": "ahead: the database is newer than this build, and has what it needs",
}
NEXT = {
    "behind": "run its migrations: my-app migrate",
    "unknown": "another branch's migrations were run; use a database of its own",
}

READING = ("GET", "HEAD", "OPTIONS")


@asynccontextmanager
async def open_database(app: FastAPI) -> AsyncIterator[None]:
    """Hold the database while the application runs; nothing connects yet."""
    from .engine import connect  # noqa: PLC0415 - see above

    app.state.database = connect(app.state.context.settings)
    app.state.revisions = read_revisions()
    try:
        yield
    finally:
        await app.state.database.close()


def database_of(app: FastAPI) -> "Database":
    """Return the database of a running application."""
    database: Database = app.state.database
    return database


async def get_session(request: Request) -> AsyncIterator["AsyncSession"]:
    """Give an endpoint its transaction, committed before the response is sent."""
    writing = request.method not in READING
    async with database_of(request.app).transaction(writing=writing) as session:
        yield session


# The scope makes FastAPI end the transaction before it sends the response: what a
# client is told to be done is done, and a commit that fails is an error.
Session = Annotated["AsyncSession", Depends(get_session, scope="function")]


async def answers(app: FastAPI) -> None:
    """Ask the database for anything at all."""
    await database_of(app).ping()


async def revision(app: FastAPI) -> str:
    """Tell whether the tables are those that this build uses.

    Raises:
        NotReadyError: they are not, or nobody can tell.
    """
    build: Revisions = app.state.revisions
    current, history = await database_of(app).revisions()
    state = build.state_of(current, history)
    if state in READY:
        return READY[state]
    raise NotReadyError(
        f"{state}: the database is at {', '.join(sorted(current)) or 'its beginning'}, "
        f"this build needs {', '.join(build.heads)}; {NEXT[state]}"
    )


feature = Feature(
    name="database",
    router=APIRouter(),
    lifespan=open_database,
    checks=(answers, revision),
)
