"""/readyz reports whether the database has the tables of the build."""

from pathlib import Path

import pytest

from my_app.config import Flags
from my_app.core.app import create_app
from my_app.core.platform.db import database as platform
from my_app.core.platform.db.revisions import (
    Revisions,
    read_revisions,
)
from my_app.migrations.commands import migrate

from tests.conftest import MakeClient
from tests.databases import settings_of
from tests.migrations.versions import write

ONE = {"one": ()}
TWO = ONE | {"two": ("one",)}


@pytest.fixture
def at_two(empty_url: str, tmp_path: Path) -> str:
    """Migrate a database to the second of two migrations."""
    write(tmp_path, "one")
    write(tmp_path, "two", "one")
    migrate(settings_of(empty_url), versions=tmp_path)
    return empty_url


@pytest.mark.slow
@pytest.mark.parametrize(
    ("known", "status", "said"),
    [
        (TWO, 200, "same: the database has exactly the migrations of this build"),
        (
            ONE,
            200,
            "ahead: the database is newer than this build and compatible with it",
        ),
        (
            TWO | {"three": ("two",)},
            503,
            "behind: the database is at two, this build needs three; "
            "run the migrations: my-app migrate",
        ),
        (
            ONE | {"other": ("one",)},
            503,
            "unknown: the database is at two, this build needs other; "
            "migrations of another branch were run; use a separate database",
        ),
    ],
)
async def test_readiness_compares_the_database_with_the_build(
    at_two: str,
    make_client: MakeClient,
    known: dict[str, tuple[str, ...]],
    status: int,
    said: str,
) -> None:
    app = create_app(settings_of(at_two), Flags(), [platform.feature])
    async with make_client(app) as client:
        app.state.revisions = Revisions(known)
        response = await client.get("/readyz")

    assert response.status_code == status
    assert said in response.text


async def test_a_database_without_tables_is_behind(
    empty_url: str, make_client: MakeClient
) -> None:
    app = create_app(settings_of(empty_url), Flags(), [platform.feature])
    async with make_client(app) as client:
        app.state.revisions = Revisions(ONE)
        response = await client.get("/readyz")

    assert response.status_code == 503
    assert "behind: the database is at no revision" in response.text


def test_heads_are_read_from_the_files_without_running_them(tmp_path: Path) -> None:
    write(tmp_path, "one")
    write(tmp_path, "left", "one")
    write(tmp_path, "right", "one")
    (tmp_path / "note.py").write_text("value = 1 / 0\nrevision: str\na = b = 1\n")

    assert read_revisions(tmp_path).heads == ["left", "right"]


def test_a_merge_is_one_head(tmp_path: Path) -> None:
    for name, below in (("one", None), ("left", "one"), ("right", "one")):
        write(tmp_path, name, below)
    merge = 'revision: str = "both"\ndown_revision = ("left", "right")\n'
    (tmp_path / "both.py").write_text(merge)

    assert read_revisions(tmp_path).heads == ["both"]
