"""`my-app migrate`: all of it or nothing, one at a time, and written down."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from my_app.core.platform.engine import connect, url_of
from my_app.core.platform.revisions import read_revisions
from my_app.migrations.commands import migrate

from tests.databases import settings_of
from tests.migrations.versions import downgrade, write


def tables(url: str) -> set[str]:
    engine = create_engine(url_of(settings_of(url)).set(drivername=driver(url)))
    with engine.connect() as connection:
        found = set(inspect(connection).get_table_names())
    engine.dispose()
    return found - {"alembic_version", "migration_history"}


def driver(url: str) -> str:
    return "sqlite" if url.startswith("sqlite") else "postgresql+psycopg"


async def state(url: str, folder: Path) -> str:
    """Ask where the database stands, as a build with the folder's migrations."""
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


def test_a_migration_that_fails_leaves_nothing_of_itself(
    empty_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "half", up='op.create_table("half"); op.execute("SELECT nothing")')

    assert migrate(settings_of(empty_url), versions=tmp_path) == 1
    assert tables(empty_url) == set()
    assert "Not migrated:" in capsys.readouterr().err


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


async def test_a_build_knows_where_the_database_stands(
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


async def test_what_is_taken_back_is_no_longer_in_the_list(
    empty_url: str, tmp_path: Path
) -> None:
    write(tmp_path, "first")
    write(tmp_path, "second", "first")
    migrate(settings_of(empty_url), versions=tmp_path)

    downgrade(empty_url, tmp_path, "first")

    assert tables(empty_url) == {"first"}
    assert await state(empty_url, tmp_path) == "behind"
