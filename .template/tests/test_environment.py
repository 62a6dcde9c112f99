"""Whatever else stands in the environment is ignored or named, and never shown."""

from pathlib import Path

import pytest

from my_app.config import load
from my_app.core.app import ServiceSettings
from my_app.environment import Problem, build, misspelt

from tests.core.platform.features import SampleFlags
from tests.test_config import dotenv, problems

__all__ = ["dotenv"]


@pytest.mark.parametrize(
    "slip", ["ENABLE_SAMPEL", "ENABLED_SAMPLE", "enable_sample", "ENABLE_SAMPLE_"]
)
def test_a_misspelt_flag_is_a_problem_that_names_the_nearest(slip: str) -> None:
    (problem,) = misspelt([slip, "PATH"], SampleFlags)

    assert (problem.variable, problem.expected) == (
        slip,
        "the declared name ENABLE_SAMPLE",
    )


def test_a_flag_that_is_not_a_boolean_is_a_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ENABLE_SAMPLE", "maybe")
    found: list[Problem] = []

    assert build(SampleFlags, None, found) is None
    assert [str(problem) for problem in found] == [
        "ENABLE_SAMPLE\n    found:    'maybe'\n    expected: true or false"
    ]


@pytest.mark.parametrize(
    "name",
    [
        "ENABLE_IPV6",
        "APP_NAME",
        "APP_SERVICE_PORT",
        "REDIS_PORT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    ],
)
def test_variables_of_other_programs_are_ignored(
    monkeypatch: pytest.MonkeyPatch, dotenv: Path, name: str
) -> None:
    monkeypatch.setenv(name, "whatever")

    assert load(ServiceSettings, dotenv).settings.environment == "development"


def test_a_dotenv_that_is_not_utf_8_is_a_problem(dotenv: Path) -> None:
    dotenv.write_bytes(b"\xff\xfe")

    assert ".env" in next(iter(problems(dotenv)))


@pytest.mark.parametrize(
    ("content", "line"),
    [('A="open\nAPP_PORT=1\n', 1), ("A=1\n\n\nAPP_PORT: hunter2\nB=1\n", 4)],
)
def test_an_unreadable_line_of_dotenv_is_named_but_not_shown(
    dotenv: Path, content: str, line: int
) -> None:
    dotenv.write_text(content)
    (found,) = problems(dotenv).items()

    assert found[0].endswith(f".env, line {line}")
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        *(("APP_ALLOWED_HOSTS", it) for it in ("", "https://api.x", "api.x:443")),
        *(("APP_ALLOWED_HOSTS", it) for it in ("*.*", "api*.x", "a.x;c.x", ".x")),
        *(("APP_CORS_ORIGINS", it) for it in ("https://a.x/", "a.x", "*.a.x")),
        *(("APP_TRUSTED_PROXIES", it) for it in ("proxy.x", "10.0.0.1:80", "[::1]")),
        *(("APP_CORS_ORIGINS", it) for it in ("https://a.x;b.x", '["https://a.x"]')),
    ],
)
def test_a_name_that_would_never_match_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, dotenv: Path, variable: str, value: str
) -> None:
    good = {"APP_CORS_ORIGINS": "https://b.x", "APP_TRUSTED_PROXIES": "fe80::/10"}
    good_one = good.get(variable, "b.x")
    monkeypatch.setenv(variable, f"{value},{good_one}" if value else "")
    expected = problems(dotenv)[variable][1]

    assert f"not {value!r}" in expected
    assert good_one not in expected


def test_secret_files_without_a_value_are_problems_and_so_are_typos(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = {"app_port": b" \n", "SENTRY_DSN": b"\xff", "APP_BRANHC": b"x", "a": b""}
    for name, content in given.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "APP_COMMIT").symlink_to(tmp_path / "gone")
    monkeypatch.setenv("APP_SECRETS_DIR", str(tmp_path))

    assert {
        Path(name).name: it[0] for name, it in problems(tmp_path / "b").items()
    } == {
        "app_port": "an empty file",
        "SENTRY_DSN": "a file that is not UTF-8",
        "APP_COMMIT": "No such file or directory",
        "APP_BRANHC": "a variable that nothing reads",
    }
    monkeypatch.setenv("APP_SECRETS_DIR", "/nowhere")
    assert problems(tmp_path / "b")["APP_SECRETS_DIR"][0].startswith(
        "/nowhere: No such"
    )
