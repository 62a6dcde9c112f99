"""`my-app migrate`: atomic, and recorded in the database."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from migrated import downgrade, tables
from my_app.core.platform.db.engine import connect
from my_app.core.platform.db.revisions import read_revisions
from my_app.migrations.commands import migrate

from tests.databases import PostgresDatabases, SQLiteDatabases, settings_of
from tests.migrations.versions import write
from tests.postgres import Postgres
from tests.servers import free_port

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Create a database of each kind without tables."""
    if request.param == "sqlite":
        databases: SQLiteDatabases | PostgresDatabases = SQLiteDatabases(tmp_path)
    else:
        server: Postgres = request.getfixturevalue("postgres")
        databases = PostgresDatabases(server.url(), "template1")
    with databases.empty() as url:
        yield url


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
