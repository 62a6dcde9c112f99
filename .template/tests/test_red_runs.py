"""A run whose tests are red says why, and which flags were on."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import second_feature

from tests.servers import PATIENCE, ROOT, clean_environment

NEW_PRICE = "tests/core/billing/test_endpoints.py::"
NEW_PRICE += "test_the_price_follows_the_flags_of_the_run"


def pytest_in(root: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    """Run pytest as a developer does; return its exit code and what it printed."""
    done = subprocess.run(
        [Path(sys.executable).with_name("pytest"), *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=root,
        env=clean_environment() | {"PYTHONPATH": str(root / "src")} | variables,
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("state", "tested"), [("true", "ENABLE_NEW_BILLING"), ("false", "none")]
)
def test_the_environment_selects_the_logic_under_test(state: str, tested: str) -> None:
    code, said = pytest_in(ROOT, NEW_PRICE, ENABLE_NEW_BILLING=state)

    assert code == 0, said
    assert f"flags on: {tested}" in said


def test_some_of_the_tests_need_not_cover_the_whole_service() -> None:
    code, said = pytest_in(ROOT, "tests/core/billing/test_pricing.py")

    assert code == 0, said
    assert "cover" not in said


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("ENABLE_NEW_BILING", "true", "expected: the declared name ENABLE_NEW_BILLING"),
        ("ENABLE_NEW_BILLING", "maybe", "expected: true or false"),
    ],
)
def test_a_flag_that_would_not_count_stops_the_run(
    variable: str, value: str, reason: str
) -> None:
    code, said = pytest_in(ROOT, NEW_PRICE, **{variable: value})

    assert code == pytest.ExitCode.USAGE_ERROR
    assert reason in said
    assert len(said) < 500


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """Copy the service and add a feature, without its migration."""
    for name in ("src", "tests", ".template"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for name in ("pyproject.toml", ".env.example", "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    second_feature.add(tmp_path)
    return tmp_path


def test_a_missing_table_is_named_with_the_command(service: Path) -> None:
    code, said = pytest_in(service, "tests/core/customers")

    assert code == pytest.ExitCode.TESTS_FAILED
    failed = said.count("\nFAILED")
    assert said.count("no such table: customers") == failed == 3
    assert 'make migration m="' in said
    assert len(said) < 2_000 * failed


def test_a_feature_that_is_not_wired_is_named_with_the_line(service: Path) -> None:
    path = service / "src/my_app/core/app.py"
    path.write_text(path.read_text().replace("    customers.feature,\n", ""))

    _, said = pytest_in(service, "tests/core/test_app.py")

    sentence = "customers is not wired; add to FEATURES in core/app.py: customers.f"
    assert f"AssertionError: {sentence}" in said


def test_an_undeclared_flag_is_named_with_its_declaration(service: Path) -> None:
    path = service / "src/my_app/config.py"
    path.write_text(path.read_text().replace(second_feature.FLAG, "    def enabled("))

    _, said = pytest_in(service, "tests/core/customers", "tests/core/test_app.py")

    line = 'ENABLE_LETTERS: bool = flag("…", owner="…", expires=date(…))'
    sentence = "ENABLE_LETTERS is not declared; add to Flags in config.py:"
    assert f"{sentence} {line}" in said


def test_what_has_no_example_is_named(service: Path) -> None:
    path = service / "src/my_app/core/customers/endpoints.py"
    optional = 'cursor: str | None = Query(None, description="Of a page")'
    path.write_text(path.read_text().replace(optional, "cursor: str = Query()"))

    _, said = pytest_in(service, "tests/test_schema.py", "-k", "list_customers")

    assert "list_customers: cursor has no example; add to it: examples=[…]" in said
    assert "KeyError" not in said
