"""The database's settings; a request's transaction: committed first, or rolled back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from httpx2 import AsyncClient
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import Message

from my_app.config import Flags, Settings, load
from my_app.core.app import create_app
from my_app.core.platform.db import database as platform
from my_app.core.platform.db.database import DatabaseSettings
from my_app.core.platform.db.engine import Database

from tests.conftest import MakeClient
from tests.core.platform.features import exchange
from tests.core.platform.notes import NOTES, create_notes, notes
from tests.plugins.databases import on
from tests.test_config import problems


@pytest.fixture
async def client(
    settings: Settings, flags: Flags, database: Database, make_client: MakeClient
) -> AsyncIterator[AsyncClient]:
    await create_notes(database)
    features = on(database, [platform.feature, notes])
    async with make_client(create_app(settings, flags, features)) as client:
        yield client


@pytest.mark.parametrize("turn", ["first", "second"])
async def test_a_test_that_is_cut_off_takes_no_other_along(
    turn: str, engine: AsyncEngine, database: Database
) -> None:
    async with database.transaction(writing=False) as session:
        assert await session.scalar(text("SELECT 1")) == 1, turn

    async with engine.connect() as shared:
        await shared.invalidate()


async def test_the_next_request_reads_what_was_written(client: AsyncClient) -> None:
    await client.post("/notes/one")

    assert (await client.get("/notes")).json() == ["one"]


@pytest.mark.parametrize(("path", "status"), [("refused", 409), ("crash", 500)])
async def test_a_request_that_fails_leaves_nothing(
    client: AsyncClient, path: str, status: int
) -> None:
    failed = await client.post(f"/{path}/one")

    assert failed.status_code == status
    assert (await client.get("/notes")).json() == []


async def test_an_unhandled_constraint_violation_is_a_bug(client: AsyncClient) -> None:
    answers = [await client.post("/notes/one") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 500]


async def test_a_logged_error_contains_no_values(own_database: Database) -> None:
    await create_notes(own_database)
    async with own_database.transaction(writing=True) as session:
        add = NOTES.insert().values(note="hunter2")
        await session.execute(add)
        with pytest.raises(IntegrityError) as caught:
            await session.execute(add)
        await session.rollback()

    assert "[parameters" not in str(caught.value)


async def test_the_commit_precedes_the_response(
    settings: Settings, flags: Flags, own_database: Database
) -> None:
    await create_notes(own_database)
    seen: list[int] = []

    async def count(message: Message) -> None:
        if message["type"] == "http.response.start":
            async with own_database.transaction(writing=False) as session:
                seen.append(len((await session.execute(NOTES.select())).all()))

    features = on(own_database, [platform.feature, notes])
    app = create_app(settings, flags, features)
    app.state.database = own_database
    await exchange(app, "/notes/one", method="POST", on_send=count)

    assert seen == [1]


def test_production_refuses_a_relative_sqlite_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("APP_ENVIRONMENT", "production")
    monkeypatch.setenv("APP_ALLOWED_HOSTS", "api.example.com")
    found, expected = problems(tmp_path / ".env")["APP_DATABASE_URL"]

    assert found.startswith("sqlite:///my-app.db")
    assert "postgresql://" in expected
    monkeypatch.setenv(
        "APP_DATABASE_URL",
        "sqlite:////data/my-app.db",
    )
    assert load(DatabaseSettings, tmp_path / ".env").settings.production


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///my-app.db",
        "sqlite:////data/our service.db",
        "postgresql://user:p%40ss@db.example:5432/my_app?sslmode=require",
        "postgres://db/my_app",
        "postgresql:///my_app?host=/run/postgresql",
        "postgresql://user@[::1]:5432/my_app",
        "sqlite:///my-app.db\n",
    ],
)
def test_a_valid_database_url_is_accepted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str
) -> None:
    monkeypatch.setenv("APP_DATABASE_URL", url)

    settings = load(DatabaseSettings, tmp_path / ".env").settings.of(DatabaseSettings)
    assert settings.database_url.get_secret_value() == url.strip()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://db/my_app",
        "postgresql://db",
        "postgresql://user:hunter2@db:port/my_app",
        "my-app.db",
        "",
    ],
)
def test_an_invalid_database_url_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str
) -> None:
    monkeypatch.setenv("APP_DATABASE_URL", url)

    assert problems(tmp_path / ".env")["APP_DATABASE_URL"] == (
        "a secret (not shown)",
        "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
    )
