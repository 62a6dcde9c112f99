"""The engine follows the settings."""

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from my_app.core.platform.db.database import DatabaseSettings
from my_app.core.platform.db.engine import (
    Admission,
    Database,
    connect,
    options,
    url_of,
)
from my_app.core.platform.db.errors import DatabaseBusyError


def of(url: str) -> DatabaseSettings:
    return DatabaseSettings(
        environment="test",
        database_url=SecretStr(url),
        database_pool_size=7,
        database_connect_timeout_seconds=3,
        database_statement_timeout_seconds=2.5,
    )


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_postgresql_connections_and_waits_are_limited(scheme: str) -> None:
    settings = of(f"{scheme}://user:p%40ss@db:5433/name?sslmode=require")
    url = url_of(settings)

    assert (url.drivername, url.password) == ("postgresql+psycopg", "p@ss")
    assert options(url, settings) == {
        "pool_size": 7,
        "max_overflow": 0,
        "pool_timeout": 3,
        "connect_args": {
            "connect_timeout": 3,
            "tcp_user_timeout": 3000,
            "options": "-c statement_timeout=2500",
        },
    }


async def test_the_settings_reach_the_database(own_database: Database) -> None:
    async with own_database.transaction(writing=True) as session:
        if own_database.engine.dialect.name == "sqlite":
            pragmas = ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
            found = [await session.scalar(text(f"PRAGMA {name}")) for name in pragmas]
            assert found == ["wal", 1, 2, 10_000]
        else:
            assert await session.scalar(text("SHOW statement_timeout")) == "10s"


async def test_only_sqlite_limits_the_writers() -> None:
    database = connect(of("postgresql://db/name"))
    assert database.write_limit is database.read_limit


async def test_waiting_too_long_for_admission_is_an_outage() -> None:
    admission = Admission(0.01, at_once=1)
    async with admission:
        with pytest.raises(DatabaseBusyError):
            await admission.__aenter__()
    async with admission:
        pass
