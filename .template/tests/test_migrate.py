"""`my-app migrate`: atomic, and recorded in the database."""

import json
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from migrated import tables, write
from my_app.core.platform.db.engine import connect
from my_app.migrations.commands import compare, migrate

from tests.plugins.databases import settings_of
from tests.servers import free_port

pytestmark = pytest.mark.anyio


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


def test_a_build_knows_the_state_of_the_database(
    empty_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, other = (tmp_path / name for name in ("old", "new", "other"))
    for folder in (old, new, other):
        folder.mkdir()
        write(folder, "first")
    write(new, "second", "first")
    write(other, "stranger", "first")
    settings = settings_of(empty_url)

    def states(*folders: Path) -> list[list[object]]:
        capsys.readouterr()
        assert {compare(settings, versions=folder) for folder in folders} == {0}
        lines = capsys.readouterr().out.splitlines()
        return [[*json.loads(line).values()] for line in lines]

    first, second, stranger = (
        {"id": name, "subject": name} for name in ("first", "second", "stranger")
    )
    assert states(old) == [["behind", [], [first], []]]
    migrate(settings, versions=old)
    assert states(old, new) == [
        ["same", ["first"], [], []],
        ["behind", ["first"], [second], []],
    ]
    migrate(settings, versions=new)
    assert states(old, new, other) == [
        ["ahead", ["second"], [], ["second"]],
        ["same", ["second"], [], []],
        ["unknown", ["second"], [stranger], ["second"]],
    ]
    assert migrate(settings, versions=old) == 0
    assert "ahead of this build" in capsys.readouterr().out
    assert migrate(settings, versions=other) == 1
    assert "this build lacks: second" in capsys.readouterr().err
    assert tables(empty_url) == {"first", "second"}
    assert migrate(settings, down=1, versions=new) == 0
    assert tables(empty_url) == {"first"}
    assert states(new) == [["behind", ["first"], [second], []]]


def test_an_unreachable_database_is_reported_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    for url in (
        f"sqlite:///{tmp_path}/nowhere/my-app.db",
        f"postgresql://user:hunter2@127.0.0.1:{port}/my_app",
    ):
        for run, failed in ((migrate, "Migration failed: "), (compare, "The database")):
            assert run(settings_of(url), versions=tmp_path) == 1
            said = capsys.readouterr().err
            assert said.startswith(failed)
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
