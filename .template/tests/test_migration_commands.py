"""`migrate`, `migration` and `migrations`, from a shell."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import PATIENCE, ROOT, clean_environment

TABLE = '''
from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from my_app.core.platform.db.tables import Base


class Note(Base):
    """A note."""

    __tablename__ = "sample_notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    written: Mapped[datetime] = mapped_column(index=True)
'''


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy the service, so that a test may change it."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=ignored)
    return tmp_path


def run(
    copy: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "my_app", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=copy,
        env=clean_environment() | {"PYTHONPATH": str(copy / "src")} | variables,
        timeout=PATIENCE,
    )


def test_a_new_model_becomes_a_migration_and_a_table(copy: Path) -> None:
    feature = copy / "src" / "my_app" / "core" / "sample"
    feature.mkdir()
    (feature / "__init__.py").touch()
    (feature / "tables.py").write_text(TABLE)

    written = run(copy, "migration", "-m", "Keep notes")
    migrated = run(copy, "migrate")
    heads = run(copy, "migrations", "--json")
    known = run(copy, "migrations")

    assert [it.returncode for it in (written, migrated, heads, known)] == [0, 0, 0, 0]
    (head,) = json.loads(heads.stdout)
    *steps, end = migrated.stdout.splitlines()
    assert end == f"The database is at {head}."
    assert all("Running upgrade" in step for step in steps)
    assert len(steps) == len([*copy.glob("src/my_app/migrations/versions/*.py")])
    assert "keep_notes.py" in known.stdout
    with sqlite3.connect(copy / "my-app.db") as database:
        (sql,) = database.execute(
            "SELECT sql FROM sqlite_schema WHERE name = 'sample_notes'"
        ).fetchone()
    database.close()
    assert "CONSTRAINT pk_sample_notes PRIMARY KEY" in sql
    folder = copy / "src/my_app/migrations/versions"
    (file,) = folder.glob("*keep*.py")
    imported = re.findall(r"^(?:from|import) (\w+)", file.read_text(), re.MULTILINE)
    assert set(imported) == {"alembic", "sqlalchemy"}


def test_a_database_is_compared_in_nothing_but_json(copy: Path) -> None:
    """Where logs are JSON, too, and go to the same place."""
    asked = ("migrations", "--database", "--json")
    before = run(copy, *asked, APP_ENVIRONMENT="staging")
    run(copy, "migrate", APP_ENVIRONMENT="staging")
    after = run(copy, *asked, APP_ENVIRONMENT="staging")

    states = [json.loads(done.stdout)["state"] for done in (before, after)]
    assert states == ["behind", "same"]


def test_an_invalid_environment_is_reported_before_migrating(
    copy: Path,
) -> None:
    done = run(copy, "migrate", APP_PORT="high")

    assert done.returncode == 2
    assert "APP_PORT" in done.stderr
    assert not (copy / "my-app.db").exists()


def test_alembic_itself_finds_the_migrations(copy: Path) -> None:
    """For everything that has no command of ours: `uv run alembic history`."""
    shutil.copy(ROOT / "pyproject.toml", copy)
    done = subprocess.run(
        [Path(sys.executable).with_name("alembic"), "upgrade", "head"],
        check=False,
        capture_output=True,
        text=True,
        cwd=copy,
        env=clean_environment() | {"PYTHONPATH": str(copy / "src")},
        timeout=PATIENCE,
    )

    assert done.returncode == 0, done.stderr
    assert (copy / "my-app.db").exists()


def test_what_a_migration_drops_is_restored_with_the_types_it_was_made_with(
    copy: Path,
) -> None:
    """Not with those of SQLite, which has no UUID: PostgreSQL would differ."""
    tables = copy / "src" / "my_app" / "core" / "sample" / "tables.py"
    tables.parent.mkdir()
    (tables.parent / "__init__.py").touch()
    text = TABLE.replace("id: Mapped[int]", "id: Mapped[UUID]")
    text = f"from uuid import UUID\n{text}"
    more = "    owner: Mapped[UUID | None] = mapped_column()\n"
    for step, models in enumerate((text, text + more, None)):
        if models:
            tables.write_text(models)
        else:
            tables.unlink()
        written = run(copy, "migration", "-m", f"step {step}")
        assert written.returncode == 0, written.stderr

    column = re.compile(r"sa.Column\([^()]*\([^()]*\)[^()]*\)")
    folder = copy / "src/my_app/migrations/versions"
    *made, dropped = (file.read_text() for file in sorted(folder.glob("*step*.py")))
    found = {each for each in column.findall("".join(made)) if "UUID" not in each}
    assert len(found) == 3
    assert {*column.findall(dropped)} == found
