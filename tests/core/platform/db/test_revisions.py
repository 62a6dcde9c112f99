"""/readyz reports whether the database has the tables of the build."""

from pathlib import Path

import pytest

from my_app.config import Flags
from my_app.core.app import create_app
from my_app.core.platform.db import database as platform
from my_app.core.platform.db.engine import Database
from my_app.core.platform.db.revisions import (
    Revisions,
    read_revisions,
)

from tests.conftest import MakeClient
from tests.plugins.databases import on, settings_of

ONE = Revisions({"one": ()})
TWO = Revisions({"one": (), "two": ("one",)})
OTHER = Revisions({"one": (), "other": ("one",)})


@pytest.mark.parametrize(
    ("build", "state"),
    [
        (TWO, "same"),
        (ONE, "ahead"),
        (Revisions({"one": (), "two": ("one",), "three": ("two",)}), "behind"),
        (OTHER, "unknown"),
    ],
)
def test_a_database_at_two_is_compared_with_the_build(
    build: Revisions, state: str
) -> None:
    assert build.state_of({"two"}, {"one", "two"}) == state


async def test_a_database_of_this_build_is_ready(
    database: Database, make_client: MakeClient
) -> None:
    app = create_app(
        settings_of("sqlite:///unused"), Flags(), on(database, [platform.feature])
    )
    async with make_client(app) as client:
        checks = (await client.get("/readyz")).json()["checks"]

    assert checks["database.revision"].startswith("same: the database has exactly")


async def test_a_database_without_tables_is_behind(
    empty_url: str, make_client: MakeClient
) -> None:
    app = create_app(settings_of(empty_url), Flags(), [platform.feature])
    async with make_client(app) as client:
        app.state.revisions = ONE
        response = await client.get("/readyz")

    assert response.status_code == 503
    assert (
        "behind: the database is at no revision, this build needs one; "
        "run the migrations: my-app migrate" in response.text
    )


def test_heads_are_read_from_the_files_without_running_them(tmp_path: Path) -> None:
    for name, below in (("one", None), ("left", "one"), ("right", "one")):
        content = f"revision = {name!r}\ndown_revision = {below!r}\n"
        (tmp_path / f"{name}.py").write_text(content)
    (tmp_path / "note.py").write_text("value = 1 / 0\nrevision: str\na = b = 1\n")
    assert read_revisions(tmp_path).heads == ["left", "right"]

    merge = 'revision: str = "both"\ndown_revision = ("left", "right")\n'
    (tmp_path / "both.py").write_text(merge)
    assert read_revisions(tmp_path).heads == ["both"]
