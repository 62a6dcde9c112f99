"""What is running: the version, and the commit it was built from."""

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
    """Say what is running, as the build recorded it.

    In development nothing was built, so commit and branch are those of the checkout.
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
    """Name this service in its log lines."""
    return {
        "name": DISTRIBUTION,
        "version": installed_version(),
        "environment": settings.environment,
    }


@cache
def installed_version(distribution: str = DISTRIBUTION) -> str:
    """Return the installed version, "unknown" where the source was only copied."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return UNKNOWN


def git(*arguments: str) -> str:
    """Return what git says of the current folder, nothing where it says nothing."""
    try:
        done = subprocess.run(  # noqa: S603 - only our own words reach it
            ["git", *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=2,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
