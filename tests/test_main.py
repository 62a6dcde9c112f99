"""The command line, in this process."""

import json

import pytest

from my_app.__main__ import main


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, empty_url: str) -> None:
    """Name an empty database; an option's variable is restored afterwards."""
    monkeypatch.setenv("APP_ENVIRONMENT", "test")
    monkeypatch.setenv("APP_DATABASE_URL", empty_url)
    monkeypatch.setenv("APP_PORT", "8000")


def run(*arguments: str) -> object:
    """Run the command and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


def test_an_option_overrides_the_environment_and_is_validated(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("--port", "99999") == 2
    assert "APP_PORT\n    found:    '99999'" in capsys.readouterr().err


def test_help_names_the_migration_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    assert "my-app migrate" in capsys.readouterr().out


def test_migrate_upgrades_the_database_once() -> None:
    assert run("migrate") == 0
    assert run("migrate") == 0


def test_migrate_reports_an_invalid_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APP_PORT", "high")

    assert run("migrate") == 2
    assert "'high'" in capsys.readouterr().err


def test_migrations_are_listed_for_people_and_for_machines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("migrations") == 0
    for_people = capsys.readouterr().out
    assert run("migrations", "--json") == 0
    heads = json.loads(capsys.readouterr().out)

    assert isinstance(heads, list)
    assert bool(heads) == bool(for_people)
    assert all(str(head) in for_people for head in heads)
