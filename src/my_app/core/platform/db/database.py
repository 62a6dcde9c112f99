"""The database as features use it: one transaction per request.

SQLAlchemy takes longer to import than the rest of the service, so this module does not
import it: `engine.py` does, when the application starts.
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
    "same": "same: the database has exactly the migrations of this build",
    "ahead": "ahead: the database is newer than this build and compatible with it",
}
NEXT = {
    "behind": "run the migrations: my-app migrate",
    "unknown": "migrations of another branch were run; use a separate database",
}

READ_METHODS = ("GET", "HEAD", "OPTIONS")


@asynccontextmanager
async def open_database(app: FastAPI) -> AsyncIterator[None]:
    """Provide the database while the application runs. Does not connect yet."""
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
    """Provide the request's transaction, committed before the response is sent."""
    if opened := getattr(request.state, "session", None):
        yield opened  # by the route, which stores the response in it, too
        return
    writing = request.method not in READ_METHODS
    async with database_of(request.app).transaction(writing=writing) as session:
        yield session


# The scope makes FastAPI end the transaction before it sends the response: a success
# is only reported once committed, and a failed commit is an error.
Session = Annotated["AsyncSession", Depends(get_session, scope="function")]


async def reachable(app: FastAPI) -> None:
    """Check that the database answers."""
    await database_of(app).ping()


async def revision(app: FastAPI) -> str:
    """Check that the database has the tables that this build uses.

    Raises:
        NotReadyError: it has not, or its state is unknown.
    """
    build: Revisions = app.state.revisions
    current, history = await database_of(app).revisions()
    state = build.state_of(current, history)
    if state in READY:
        return READY[state]
    raise NotReadyError(
        f"{state}: the database is at {', '.join(sorted(current)) or 'no revision'}, "
        f"this build needs {', '.join(build.heads)}; {NEXT[state]}"
    )


feature = Feature(
    name="database",
    router=APIRouter(),
    lifespan=open_database,
    checks=(reachable, revision),
)
