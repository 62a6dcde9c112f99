"""A database beside the service's own, on SQLite and on PostgreSQL."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from trunkline.deploy import own_database


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("sqlite:///service.db", "sqlite:///service_own.db"),
        ("sqlite:////data/a.b", "sqlite:////data/a.b_own"),
        ("sqlite:///a.db?mode=ro", "sqlite:///a_own.db?mode=ro"),
        ("postgresql://u:p@h:5/my_app?x=1", "postgresql://u:p@h:5/my_app_own?x=1"),
        (f"postgresql://h/{'a' * 63}", f"postgresql://h/{'a' * 59}_own"),
    ],
)
def test_it_is_called_after_the_other(url: str, found: str) -> None:
    assert own_database.beside(url, "own") == found


def test_a_file_is_copied_from_the_template_once_even_while_that_is_in_use(
    tmp_path: Path,
) -> None:
    url, template = f"sqlite:///{tmp_path}/a.db", tmp_path / "a_template.db"
    with closing(sqlite3.connect(template)) as one:
        one.execute("PRAGMA journal_mode=WAL")
        one.execute("CREATE TABLE kept (id)")
        one.commit()
        own_database.make(url, "own")
        one.execute("CREATE TABLE later (id)")
        one.commit()
        own_database.make(url, "own")
    with closing(sqlite3.connect(tmp_path / "a_own.db")) as own:
        names = [row[0] for row in own.execute("SELECT name FROM sqlite_schema")]
    assert names == ["kept"]
    own_database.drop(url, "own")
    own_database.drop(url, "own")
    assert [file.name for file in tmp_path.glob("a_own*")] == []


def test_without_a_template_the_service_makes_the_file(tmp_path: Path) -> None:
    own_database.make(f"sqlite:///{tmp_path}/a.db", "own")
    assert list(tmp_path.iterdir()) == []
