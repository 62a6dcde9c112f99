"""The database as features use it: one transaction per request.

SQLAlchemy takes longer to import than the rest of the service, so this module does not
import it: `engine.py` does, when the application starts.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError

from ....config import Settings
from ....environment import Problem
from ..feature import Feature, NotReadyError
from ..idempotency import REPLAYED
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
Seconds = Annotated[float, Field(ge=0.001, le=86_400)]

DATABASE_URLS = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
DATABASE_URL = re.compile(
    r"sqlite:///[^?:]+"
    r"|postgres(ql)?://([^/?#@]*@)?(\[[\da-fA-F:.]+\]|[^/?#@:]*)(:\d{1,5})?"
    r"/[^/?#]+(\?[^#]*)?"
)


class DatabaseSettings(Settings):
    """Where the database is, and how long to wait for it."""

    database_url: SecretStr = Field(
        SecretStr("sqlite:///my-app.db"),
        description=f"{DATABASE_URLS}; an absolute FILE has four slashes",
    )
    database_pool_size: int = Field(
        10, ge=1, le=1000, description="Maximum number of connections per process"
    )
    database_connect_timeout_seconds: Seconds = Field(
        5, description="Time to wait for a connection"
    )
    database_statement_timeout_seconds: Seconds = Field(
        10, description="Timeout of a statement or of a wait for a lock"
    )
    database_lock_timeout_seconds: Seconds = Field(
        5, description="Time for which a migration waits for a table"
    )

    idempotency_key_hours: int = Field(
        24, ge=1, le=8760, description="Time for which an Idempotency-Key is remembered"
    )

    @field_validator("database_url")
    @classmethod
    def supported_database(cls, value: SecretStr) -> SecretStr:
        """Refuse an unsupported database URL at start."""
        if not DATABASE_URL.fullmatch(value.get_secret_value()):
            raise PydanticCustomError("database_url", DATABASE_URLS)
        return value

    def unsuitable(self) -> list[Problem]:
        """Refuse a file that would be lost with its container."""
        problems, url = super().unsuitable(), self.database_url.get_secret_value()
        if self.production and re.match("sqlite:///[^/]", url):
            problems.append(
                Problem(
                    variable="APP_DATABASE_URL",
                    found=f"{url} (relative to the working directory)",
                    expected="in production, postgresql://… or the absolute path of a "
                    "file that outlives the container: sqlite:////data/my-app.db",
                )
            )
        return problems


@asynccontextmanager
async def open_database(app: FastAPI) -> AsyncIterator[None]:
    """Provide the database while the application runs. Does not connect yet."""
    from .engine import connect  # noqa: PLC0415 - see above

    app.state.database = connect(app.state.context.settings.of(DatabaseSettings))
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
    settings=DatabaseSettings,
    commands=dict.fromkeys(
        ("migrate", "migration", "migrations"),
        "my_app.migrations.cli",
    ),
    exposed_headers=(REPLAYED,),
)
