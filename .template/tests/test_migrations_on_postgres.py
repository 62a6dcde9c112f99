"""A migrator on PostgreSQL waits for another, and for a table not for long."""

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from migrated import tables, write
from my_app.migrations.commands import migrate
from my_app.migrations.connection import LOCK

from tests.plugins.databases import PostgresDatabases, settings_of
from tests.postgres import Postgres


@pytest.fixture
def on_postgres(postgres: Postgres) -> Iterator[str]:
    """Create a PostgreSQL database, whatever the run uses."""
    with PostgresDatabases(postgres.url(), "template1").empty() as url:
        yield url


def test_on_postgresql_a_migration_stops_waiting_for_a_table(
    on_postgres: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = {"database_lock_timeout_seconds": 0.1}
    hasty = settings_of(on_postgres).model_copy(update=changed)
    write(tmp_path, "one")
    codes = [migrate(hasty, versions=tmp_path)]
    write(tmp_path, "two", "one", up='op.execute("ALTER TABLE one ADD more integer")')
    with psycopg.connect(on_postgres) as reader:
        reader.execute("SELECT * FROM one")
        codes.append(migrate(hasty, versions=tmp_path))
    codes.append(migrate(hasty, versions=tmp_path))

    assert codes == [0, 1, 0]
    assert "lock timeout" in capsys.readouterr().err


def test_on_postgresql_a_migrator_waits_for_another(
    on_postgres: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "one")
    codes = []
    second = threading.Thread(
        target=lambda: codes.append(
            migrate(settings_of(on_postgres), versions=tmp_path)
        )
    )
    with psycopg.connect(on_postgres, autocommit=True) as first:
        first.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        second.start()
        while "Waiting for another migration" not in capsys.readouterr().err:
            second.join(0.01)
            assert second.is_alive()
        assert tables(on_postgres) == set()
        # `CREATE INDEX CONCURRENTLY` would wait for an open transaction.
        first.execute("CREATE TABLE wide (id integer)")
        first.execute("CREATE INDEX CONCURRENTLY narrow ON wide (id)")
    second.join()

    assert codes == [0]
    assert tables(on_postgres) == {"one", "wide"}
