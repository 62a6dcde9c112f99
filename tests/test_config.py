"""Settings and flags: read once, validated together."""

from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from my_app.config import Flags, Settings, load
from my_app.core.app import ServiceSettings
from my_app.environment import (
    EnvironmentVariablesError,
    build,
    example,
)

from tests.core.platform.features import SampleFlags

EXAMPLE = Path(__file__).parents[1] / ".env.example"


@pytest.fixture(autouse=True)
def _no_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from an environment without flags."""
    for name in Flags.model_fields:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def dotenv(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def problems(dotenv: Path) -> dict[str, tuple[str, str]]:
    """Load invalid settings; return what was found and expected per variable."""
    with pytest.raises(EnvironmentVariablesError) as caught:
        load(ServiceSettings, dotenv)
    return {
        problem.variable: (problem.found, problem.expected)
        for problem in caught.value.problems
    }


def test_a_variable_sets_a_setting(
    monkeypatch: pytest.MonkeyPatch, dotenv: Path
) -> None:
    monkeypatch.setenv("APP_PORT", "9000")
    monkeypatch.setenv("APP_LOG_LEVEL", "WARNING")
    monkeypatch.setenv("APP_CORS_ORIGINS", "https://a.example, https://b.example,")
    settings, _ = load(ServiceSettings, dotenv)

    assert settings.port == 9000
    assert settings.log_level == "warning"
    assert settings.cors_origins == ("https://a.example", "https://b.example")


@pytest.mark.parametrize("written", ["true", "True", "1", "on", "yes"])
def test_a_variable_sets_a_flag(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("ENABLE_SAMPLE", written)

    assert SampleFlags().ENABLE_SAMPLE


def test_every_problem_is_listed_at_once(
    monkeypatch: pytest.MonkeyPatch, dotenv: Path
) -> None:
    monkeypatch.setenv("APP_PORT", "high")
    monkeypatch.setenv("APP_WORKERS", "0")
    monkeypatch.setenv("APP_ENVIRONMENT", "x" * 500)
    found = problems(dotenv)

    assert found["APP_PORT"] == ("'high'", "a whole number")
    assert found["APP_WORKERS"] == ("'0'", "greater than or equal to 1")
    assert found["APP_ENVIRONMENT"][0].endswith("… (502 characters)")


@pytest.mark.parametrize(
    ("slip", "meant"),
    [("APP_ALOWED_HOSTS", "APP_ALLOWED_HOSTS"), ("APP_ENVIROMENT", "APP_ENVIRONMENT")],
)
def test_a_misspelt_name_stops_the_start_and_names_the_nearest(
    monkeypatch: pytest.MonkeyPatch, dotenv: Path, slip: str, meant: str
) -> None:
    monkeypatch.setenv(slip, "true")

    assert problems(dotenv) == {
        slip: ("a variable that nothing reads", f"the declared name {meant}")
    }


def test_in_development_dotenv_is_read_and_the_process_wins(
    monkeypatch: pytest.MonkeyPatch, dotenv: Path
) -> None:
    dotenv.write_text("APP_PORT=9000\nAPP_HOST=::1\nENABLE_SAMPLE=true\n")
    monkeypatch.setenv("APP_PORT", "9001")
    settings, _ = load(ServiceSettings, dotenv)
    flags = build(SampleFlags, dotenv, [])

    assert (settings.port, settings.host) == (9001, "::1")
    assert flags is not None
    assert flags.ENABLE_SAMPLE


@pytest.mark.parametrize(
    ("variable", "useless"),
    [
        ("APP_ALLOWED_HOSTS", "käse.example"),
        ("APP_CORS_ORIGINS", "https://käse.example"),
        ("APP_CORS_ORIGINS", "https://a.example:443"),
        ("APP_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("APP_CONTENT_SECURITY_POLICY", "default-src 'self';\nimg-src *"),
        ("APP_HOST", ""),
        ("APP_SHUTDOWN_DELAY_SECONDS", "inf"),
    ],
)
def test_a_value_that_could_not_work_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, dotenv: Path, variable: str, useless: str
) -> None:
    monkeypatch.setenv(variable, useless)

    assert variable in problems(dotenv)


def test_a_misspelt_name_in_dotenv_stops_the_start(dotenv: Path) -> None:
    dotenv.write_text("APP_PROT=1\n")

    assert "APP_PROT" in problems(dotenv)


@pytest.mark.parametrize("environment", ["test", "staging", "production"])
def test_outside_development_dotenv_is_ignored(
    monkeypatch: pytest.MonkeyPatch, dotenv: Path, environment: str
) -> None:
    dotenv.write_text("APP_PORT=high\nAPP_HOST=::1\n")
    monkeypatch.setenv("APP_ENVIRONMENT", environment)
    monkeypatch.setenv("APP_ALLOWED_HOSTS", "api.example.com")
    settings, _ = load(Settings, dotenv)

    assert (settings.port, settings.host) == (8000, "127.0.0.1")


def test_dotenv_cannot_set_another_environment(dotenv: Path) -> None:
    dotenv.write_text("APP_ENVIRONMENT=staging\n")

    assert problems(dotenv)["APP_ENVIRONMENT"][1].startswith("development;")


def test_production_refuses_the_development_default(
    monkeypatch: pytest.MonkeyPatch, dotenv: Path
) -> None:
    monkeypatch.setenv("APP_ENVIRONMENT", "production")

    assert problems(dotenv)["APP_ALLOWED_HOSTS"][0] == "* (the development default)"


def test_a_secret_is_shown_nowhere(
    monkeypatch: pytest.MonkeyPatch, dotenv: Path
) -> None:
    monkeypatch.setenv("SENTRY_DSN", "https://hunter2@host/1")
    settings, _ = load(ServiceSettings, dotenv)

    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()


def test_a_secret_may_be_a_file_but_the_process_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in (("SENTRY_DSN", "hunter2\n"), ("app_port", "9000")):
        (tmp_path / name).write_text(value)
    monkeypatch.setenv("APP_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("APP_PORT", "9001")
    settings, _ = load(ServiceSettings, tmp_path / ".env")

    assert settings.sentry_dsn
    assert (settings.sentry_dsn.get_secret_value(), settings.port) == ("hunter2", 9001)


def test_settings_and_flags_are_frozen() -> None:
    for model, name in ((Settings(), "port"), (Flags(), "ENABLE_ANYTHING")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(model, name, "x")


def test_a_flag_is_off_by_default_and_has_an_owner_and_an_end() -> None:
    for name, field in Flags.model_fields.items():
        assert isinstance(field.json_schema_extra, dict), name

        assert field.default is False, name
        assert field.description, name
        assert field.json_schema_extra["owner"], name
        assert date.fromisoformat(str(field.json_schema_extra["expires"])), name


def test_the_example_file_is_current() -> None:
    assert EXAMPLE.read_text() == example((ServiceSettings, Flags)), (
        "uv run python -m my_app.core.app > .env.example"
    )


def test_the_example_file_holds_the_defaults(
    dotenv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every line, uncommented, sets the default."""
    lines = EXAMPLE.read_text().splitlines()
    dotenv.write_text(
        "\n".join(line.removeprefix("# ") for line in lines if "=" in line)
    )
    settings, flags = load(ServiceSettings, dotenv)

    unset = {"sentry_dsn", "otlp_endpoint"}
    assert settings.model_dump(exclude=unset) == ServiceSettings().model_dump(
        exclude=unset
    )
    assert flags == Flags()
