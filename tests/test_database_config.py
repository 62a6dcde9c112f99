"""Which database URLs are accepted, and in which environments."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from my_app.config import load

from tests.test_config import problems


def test_production_refuses_a_relative_sqlite_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("APP_ENVIRONMENT", "production")
    monkeypatch.setenv("APP_ALLOWED_HOSTS", "api.example.com")
    found, expected = problems(tmp_path / ".env")["APP_DATABASE_URL"]

    assert found.startswith("sqlite:///my-app.db")
    assert "postgresql://" in expected
    monkeypatch.setenv(
        "APP_DATABASE_URL",
        "sqlite:////data/my-app.db",
    )
    assert load(tmp_path / ".env").settings.production


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///my-app.db",
        "sqlite:////data/our service.db",
        "postgresql://user:p%40ss@db.example:5432/my_app?sslmode=require",
        "postgres://db/my_app",
        "postgresql:///my_app?host=/run/postgresql",
        "postgresql://user@[::1]:5432/my_app",
        "sqlite:///my-app.db\n",
    ],
)
def test_a_valid_database_url_is_accepted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str
) -> None:
    monkeypatch.setenv("APP_DATABASE_URL", url)

    assert load(tmp_path / ".env").settings.database_url == SecretStr(url.strip())


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://db/my_app",
        "postgresql://db",
        "postgresql://user:hunter2@db:port/my_app",
        "my-app.db",
        "",
    ],
)
def test_an_invalid_database_url_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str
) -> None:
    monkeypatch.setenv("APP_DATABASE_URL", url)

    assert problems(tmp_path / ".env")["APP_DATABASE_URL"] == (
        "a secret (not shown)",
        "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
    )
