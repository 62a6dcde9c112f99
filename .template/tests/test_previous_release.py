"""A migration that takes away what the previous release uses is found."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrated import write
from my_app.migrations.commands import migrate
from previous_release import check, git, main, previous_tag

from tests.plugins.databases import NOT_CHECKED, programs_or_skip, settings_of
from tests.postgres import running_postgres
from tests.servers import ROOT

FOLDERS = ("src", "tests", "packages")
FILES = ("pyproject.toml", "uv.lock", "README.md", "LICENSE", ".python-version")
TEST = """
from sqlalchemy import text

from my_app.core.platform.db.engine import Database


async def test_notes_are_kept(database: Database) -> None:
    async with database.transaction(writing=True) as session:
        await session.execute(text("INSERT INTO notes (body) VALUES ('a note')"))
        kept = await session.scalars(text("SELECT body FROM notes"))
        assert [*kept] == ["a note"]
"""
CREATE = 'op.create_table("notes", sa.Column("body", sa.String(10)))'


@pytest.fixture(scope="module", autouse=True)
def _one_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Install the packages of the releases once, and compile them once."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("environment")
        patch.setenv("UV_PROJECT_ENVIRONMENT", str(folder))
        yield


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Make a database without any table, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    with running_postgres(programs_or_skip()) as server:
        server.execute("CREATE DATABASE empty")
        yield server.url("empty")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a repository with a release whose tests use a table."""
    root = tmp_path / "repository"
    root.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", ".venv")
    for name in FOLDERS:
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, root / name, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, root / name)
    (root / "tests" / "test_notes.py").write_text(TEST)
    git(root, "init", "--initial-branch=main")
    git(root, "config", "user.name", "A Tester")
    git(root, "config", "user.email", "tester@example.com")
    assert previous_tag(root) is None
    commit(root, "feat: keep notes")
    git(root, "tag", "-a", "-m", "v1.0.0", "v1.0.0")
    return root


def commit(root: Path, subject: str) -> None:
    git(root, "add", "--all")
    done = git(root, "commit", "--no-verify", "--allow-empty", "-m", subject)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ('op.add_column("notes", sa.Column("author", sa.String(10)))', 0),
        ('op.drop_table("notes")', 1),
        ('op.alter_column("notes", "body", new_column_name="content")', 1),
    ],
)
def test_the_previous_release_runs_on_the_new_tables(
    repository: Path, empty_url: str, change: str, code: int
) -> None:
    versions = repository.parent / "versions"
    versions.mkdir()
    write(versions, "one", up=CREATE)
    write(versions, "two", "one", up=change)
    migrate(settings_of(empty_url), versions=versions)
    commit(repository, "feat: change the tables")
    tag = previous_tag(repository)

    assert tag == "v1.0.0"
    assert check(repository, tag, empty_url, ["tests/test_notes.py"]) == code
    assert git(repository, "worktree", "list").stdout.count("\n") == 1


def test_a_clone_without_its_past_is_not_taken_for_one_without_releases(
    repository: Path,
) -> None:
    commit(repository, "feat: add to it")
    shallow = repository.parent / "shallow"
    address = repository.as_uri()
    git(repository.parent, "clone", "--depth=1", "--no-tags", address, shallow.name)

    assert previous_tag(shallow) is None
    assert main([], shallow) == NOT_CHECKED
