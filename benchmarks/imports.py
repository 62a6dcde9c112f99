"""Importing the application, against importing FastAPI."""

import sys
from functools import partial
from pathlib import Path

from benchmarks import checkouts, processes, profiles
from benchmarks.benchmark import Comparison
from benchmarks.samples import compared_by_best, interleaved

OURS = "import my_app.main"
PEER = "import fastapi"
MILLISECONDS = 1000
PRODUCTION = {
    "APP_ENVIRONMENT": "production",
    "APP_ALLOWED_HOSTS": "localhost",
    "APP_DATABASE_URL": "postgresql://localhost/my_app",
}


def run(rounds: int) -> list[Comparison]:
    """Import as in production, then as in development."""
    with checkouts.production() as python:
        shipped = measured("import, as shipped", python, rounds, PRODUCTION)
    # Development tools install libraries that others import if present, and the
    # application asks git for its version.
    developed = measured("import, in development", Path(sys.executable), rounds, {})
    return [shipped, developed]


def measured(
    what: str, python: Path, rounds: int, variables: dict[str, str]
) -> Comparison:
    """Compare `python -c`, including the start of the interpreter."""
    env = processes.environment(**variables)
    samples = interleaved(
        rounds,
        {
            statement: partial(
                processes.seconds_of, (python, "-I", "-c", statement), env=env
            )
            for statement in (OURS, PEER)
        },
    )
    ours, theirs = (
        [seconds * MILLISECONDS for seconds in samples[statement]]
        for statement in (OURS, PEER)
    )
    return compared_by_best(what, "ms", peer=PEER, ours=ours, theirs=theirs)


def profile() -> str:
    """Show the import time of each package."""
    with checkouts.production() as python:
        return profiles.imports(
            python, ours=OURS, theirs=PEER, env=processes.environment(**PRODUCTION)
        )
