"""Importing the application, against importing FastAPI."""

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.development import generation
from benchmarks.harness import checkouts, processes, profiles
from benchmarks.harness.benchmark import Bound, Comparison
from benchmarks.harness.samples import compared, interleaved

OURS = "import my_app.main"
SMALLEST = "import acme_api.main"
PEER = "import fastapi"
MILLISECONDS = 1000
PRODUCTION = {
    "APP_ENVIRONMENT": "production",
    "APP_ALLOWED_HOSTS": "localhost",
    "APP_DATABASE_URL": "postgresql://localhost/my_app",
}
WITHOUT_DATABASE = {
    name: value for name, value in PRODUCTION.items() if name != "APP_DATABASE_URL"
}


def run(rounds: int) -> list[Comparison]:
    """Import as in production, without optional parts, then as in development."""
    with checkouts.production() as python:
        shipped = measured("import, as shipped", python, rounds, PRODUCTION)
    with (
        generation.template() as source,
        generation.service(source, generation.SMALL) as service,
        checkouts.production(service) as python,
    ):
        what, env = "import, no optional part", WITHOUT_DATABASE
        smallest = measured(what, python, rounds, env, ours=SMALLEST)
    # Development tools install libraries that others import if present, and the
    # application asks git for its version.
    developed = measured("import, in development", Path(sys.executable), rounds, {})
    return [shipped, replace(smallest, bound=Bound(1.35)), developed]


def measured(
    what: str, python: Path, rounds: int, variables: dict[str, str], ours: str = OURS
) -> Comparison:
    """Compare `python -c`, including the start of the interpreter."""
    env = processes.environment(**variables)
    samples = interleaved(
        rounds,
        {
            statement: partial(
                processes.seconds_of, (python, "-I", "-c", statement), env=env
            )
            for statement in (ours, PEER)
        },
    )
    mine, theirs = (
        [seconds * MILLISECONDS for seconds in samples[statement]]
        for statement in (ours, PEER)
    )
    return compared(what, "ms", peer=PEER, ours=mine, theirs=theirs, best=True)


def profile() -> str:
    """Show the import time of each package."""
    with checkouts.production() as python:
        return profiles.imports(
            python, ours=OURS, theirs=PEER, env=processes.environment(**PRODUCTION)
        )
