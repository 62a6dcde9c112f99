"""The running build: its version and the commit it was built from."""

import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from ...config import Settings

DISTRIBUTION = "my-app"
UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Build:
    """The identity of the running code."""

    version: str
    commit: str
    branch: str
    built_at: str


def identify(settings: Settings) -> Build:
    """Return the identity that was recorded at build time.

    In development nothing was built: commit and branch come from the checkout.
    """
    commit, branch = settings.commit, settings.branch
    if settings.development and UNKNOWN in (commit, branch):
        commit = git("rev-parse", "--short=12", "HEAD") or commit
        branch = git("branch", "--show-current") or branch
    return Build(
        version=installed_version(),
        commit=commit,
        branch=branch,
        built_at=settings.built_at,
    )


def service_fields(settings: Settings) -> dict[str, str]:
    """Return the fields that identify this service in its log lines."""
    return {
        "name": DISTRIBUTION,
        "version": installed_version(),
        "environment": settings.environment,
    }


@cache
def installed_version(distribution: str = DISTRIBUTION) -> str:
    """Return the installed version, "unknown" if the package is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return UNKNOWN


def git(*arguments: str) -> str:
    """Run git in the current folder; return its output, empty if it fails."""
    try:
        result = subprocess.run(  # noqa: S603 - constant arguments only
            ["git", *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=2,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return result.stdout.strip()
