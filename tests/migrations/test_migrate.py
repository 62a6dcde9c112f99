"""`my-app migrate`: atomic, and recorded in the database."""

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, inspect, text

from my_app.core.platform.db.engine import connect, url_of
from my_app.core.platform.db.revisions import read_revisions
from my_app.migrations.commands import migrate
from my_app.migrations.connection import LOCK

from tests.databases import PostgresDatabases, settings_of
from tests.migrations.versions import downgrade, write
from tests.postgres import Postgres
from tests.servers import free_port

pytestmark = pytest.mark.slow  # Each creates databases.


def tables(url: str) -> set[str]:
    engine = create_engine(url_of(settings_of(url)).set(drivername=driver(url)))
    with engine.connect() as connection:
        found = set(inspect(connection).get_table_names())
    engine.dispose()
    return found - {"alembic_version", "migration_history"}


def driver(url: str) -> str:
    return "sqlite" if url.startswith("sqlite") else "postgresql+psycopg"


async def state(url: str, folder: Path) -> str:
    """Compare the database with a build that has the migrations of a folder."""
    database = connect(settings_of(url))
    current, history = await database.revisions()
    await database.close()
    return read_revisions(folder).state_of(current, history)


def test_each_migration_is_run_once_and_in_order(
    empty_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of(empty_url)
    write(tmp_path, "one")
    assert migrate(settings, versions=tmp_path) == 0
    write(tmp_path, "two", "one")

    assert [migrate(settings, versions=tmp_path) for _ in range(2)] == [0, 0]
    assert tables(empty_url) == {"one", "two"}
    assert capsys.readouterr().out.endswith("The database is at two.\n")


def test_a_failed_migration_leaves_nothing_behind(
    empty_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "half", up='op.create_table("half"); op.execute("SELECT nothing")')

    assert migrate(settings_of(empty_url), versions=tmp_path) == 1
    assert tables(empty_url) == set()
    assert "Migration failed:" in capsys.readouterr().err


def test_two_migrators_at_once_run_each_migration_once(
    empty_url: str, tmp_path: Path
) -> None:
    for number in range(5):
        write(tmp_path, f"m{number}", f"m{number - 1}" if number else None)
    codes = []

    def run() -> None:
        codes.append(migrate(settings_of(empty_url), versions=tmp_path))

    migrators = [threading.Thread(target=run) for _ in range(4)]
    for migrator in migrators:
        migrator.start()
    for migrator in migrators:
        migrator.join()

    assert codes == [0, 0, 0, 0]
    assert tables(empty_url) == {"m0", "m1", "m2", "m3", "m4"}


async def test_a_build_knows_the_state_of_the_database(
    empty_url: str, tmp_path: Path
) -> None:
    old, new, other = (tmp_path / name for name in ("old", "new", "other"))
    for folder in (old, new, other):
        folder.mkdir()
        write(folder, "first")
    write(new, "second", "first")
    write(other, "stranger", "first")
    settings = settings_of(empty_url)

    states = [await state(empty_url, old)]
    migrate(settings, versions=old)
    states += [await state(empty_url, old), await state(empty_url, new)]
    migrate(settings, versions=new)
    states += [await state(empty_url, folder) for folder in (old, new, other)]

    assert states == ["behind", "same", "behind", "ahead", "same", "unknown"]


async def test_a_downgrade_removes_the_migration_from_the_history(
    empty_url: str, tmp_path: Path
) -> None:
    write(tmp_path, "first")
    write(tmp_path, "second", "first")
    migrate(settings_of(empty_url), versions=tmp_path)

    downgrade(empty_url, tmp_path, "first")

    assert tables(empty_url) == {"first"}
    assert await state(empty_url, tmp_path) == "behind"


def test_an_unreachable_database_is_reported_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    for url in (
        f"sqlite:///{tmp_path}/nowhere/my-app.db",
        f"postgresql://user:hunter2@127.0.0.1:{port}/my_app",
    ):
        assert migrate(settings_of(url), versions=tmp_path) == 1
        said = capsys.readouterr().err
        assert said.startswith("Migration failed: ")
        assert "APP_DATABASE_URL" in said
        assert "hunter2" not in said


CONCURRENTLY = """if op.get_bind().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            op.create_index("ix", "one", ["id"], postgresql_concurrently=True)
    op.create_table("two", sa.Column("id", sa.Integer))"""


def test_an_index_may_be_created_concurrently(empty_url: str, tmp_path: Path) -> None:
    write(tmp_path, "one")
    write(tmp_path, "two", "one", up=CONCURRENTLY)

    assert migrate(settings_of(empty_url), versions=tmp_path) == 0
    assert tables(empty_url) == {"one", "two"}


PARENTS = 'op.create_table("parents", sa.Column("id", sa.Integer, primary_key=True))'
CHILDREN = """op.create_table("children", sa.Column("parent", sa.Integer,
        sa.ForeignKey("parents.id", ondelete="CASCADE")))
    op.execute("INSERT INTO parents VALUES (1)")
    op.execute("INSERT INTO children VALUES (1)")"""
COPY = """with op.batch_alter_table("parents", recreate="auto") as batch:
        batch.alter_column("id", type_=sa.BigInteger)"""


async def test_changing_a_column_deletes_no_rows(
    empty_url: str, tmp_path: Path
) -> None:
    """SQLite copies the table and drops the original, which others refer to."""
    write(tmp_path, "one", up=f"{PARENTS}\n    {CHILDREN}")
    write(tmp_path, "two", "one", up=COPY)

    assert migrate(settings_of(empty_url), versions=tmp_path) == 0
    database = connect(settings_of(empty_url))
    async with database.transaction(writing=False) as session:
        children = [*await session.scalars(text("SELECT parent FROM children"))]
    await database.close()

    assert children == [1]


def test_a_broken_foreign_key_stops_the_migration(
    empty_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "one", up=f"{PARENTS}\n    {CHILDREN}")
    delete = "DELETE FROM parents" if "sqlite" in empty_url else "DROP TABLE parents"
    write(tmp_path, "two", "one", up=f'op.execute("{delete}")')

    assert migrate(settings_of(empty_url), versions=tmp_path) == 1
    assert "children" in capsys.readouterr().err
    if "sqlite" in empty_url:
        assert tables(empty_url) == set()


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
