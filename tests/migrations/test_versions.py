"""The migrations of this service: what every one of them has to be."""

import json
import re
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData

from my_app.core.platform.db import revisions
from my_app.migrations.cli import main
from my_app.migrations.commands import configuration
from my_app.migrations.connection import migrating

from tests.plugins.databases import settings_of

SCRIPT = ScriptDirectory.from_config(configuration())
STEPS = [step.revision for step in SCRIPT.walk_revisions()][::-1]
FILES = [file.name for file in sorted(revisions.VERSIONS.glob("*.py"))]


def test_there_is_one_head() -> None:
    """Two branches may each have added one; docs/database.md says what to do."""
    assert len(revisions.read_revisions().heads) <= 1


def test_the_files_are_listed_in_the_order_in_which_they_run() -> None:
    assert [Path(SCRIPT.get_revision(step).path).name for step in STEPS] == FILES


def test_each_file_is_named_by_its_date() -> None:
    dated = re.compile(r"\d{4}_\d\d_\d\d_\d{6}_[a-z0-9_]+\.py")
    assert [name for name in FILES if not dated.fullmatch(name)] == []


def test_the_command_says_what_an_empty_database_lacks(
    empty_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APP_DATABASE_URL", empty_url)
    assert main(["migrations", "--database"]) == 0
    pending = json.loads(capsys.readouterr().out)["pending"]
    assert [step["id"] for step in pending] == STEPS


def test_the_migrations_make_what_the_models_say(database_url: str) -> None:
    """Otherwise: make migration m="what changed"."""
    config = configuration()
    with migrating(settings_of(database_url)) as connection:
        config.attributes["connection"] = connection
        command.check(config)


def test_every_migration_goes_up_down_and_up_again(empty_url: str) -> None:
    config, up, down = configuration(), command.upgrade, command.downgrade
    for step in STEPS:
        below = "".join(revisions.read_revisions().parents[step]) or "base"
        states = []
        for go, to in ((up, below), (up, step), (down, below), (up, step)):
            with migrating(settings_of(empty_url)) as connection:
                config.attributes["connection"] = connection
                if to != "base" or go is down:
                    go(config, to)
                states.append(schema(connection))
        assert states[0::2] == [states[0]] * 2, f"the downgrade of {step} differs"
        assert states[1::2] == [states[1]] * 2, f"after a downgrade {step} differs"


def schema(connection: Connection) -> object:
    """Describe every table, so that two states can be compared."""
    found = MetaData()
    found.reflect(connection)
    return {
        table.name: (
            sorted(repr(column) for column in table.columns),
            sorted(repr(index) for index in table.indexes),
            sorted(repr(constraint.name) for constraint in table.constraints),
        )
        for table in found.tables.values()
        if table.name not in {"alembic_version", "migration_history"}
    }
