"""The identity of the running build."""

from importlib.metadata import version
from pathlib import Path

import pytest

from my_app.config import Settings
from my_app.core.platform import build
from my_app.core.platform.build import (
    identify,
    installed_version,
)


def test_a_build_reports_what_was_recorded() -> None:
    identity = identify(
        Settings(environment="production", commit="abc", branch="main", built_at="now")
    )

    assert (identity.commit, identity.branch, identity.built_at) == (
        "abc",
        "main",
        "now",
    )
    assert identity.version == version("my-app")


def test_in_development_the_checkout_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "ada@example.com")
    build.git("init", "--quiet", "--initial-branch", "feat/login")
    build.git("commit", "--quiet", "--allow-empty", "--message", "feat: begin")

    identity = identify(Settings(environment="development"))

    assert identity.branch == "feat/login"
    assert identity.commit == build.git("rev-parse", "HEAD")[:12]
    assert len(identity.commit) == 12


def test_outside_a_checkout_the_commit_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    assert identify(Settings(environment="development")).commit == "unknown"


def test_a_package_that_is_not_installed_has_no_version() -> None:
    assert installed_version("not-installed-anywhere") == "unknown"
