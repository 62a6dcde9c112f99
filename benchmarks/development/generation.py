"""From the template to a service whose tests pass."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.harness import checkouts, processes
from benchmarks.harness.benchmark import Bound, Comparison
from benchmarks.harness.samples import alone, compared, interleaved

TRUNKLINE = processes.TOOLS / "trunkline"
COPIER = processes.TOOLS / "copier"
NAMES = ("--package", "acme_api", "--title", "Acme API")
SMALL = ("--without", "billing", "--without", "persistence")
# The reference service-template states these for its set-up alone.
SETUP = Bound(2, unit=" s")
STATED = "3-5 s warm, 15-30 s cold, stated for set-up alone"


@contextmanager
def template() -> Iterator[Path]:
    """Commit the project as it is, as a template to generate services from."""
    with checkouts.copied() as copy:
        identity = ("-c", "user.name=bench", "-c", "user.email=bench@example.com")
        processes.run(("git", "add", "--all"), cwd=copy)
        commit = (
            "commit",
            "--quiet",
            "--allow-empty",
            "--no-verify",
            "-m",
            "feat: now",
        )
        processes.run(("git", *identity, *commit), cwd=copy)
        yield copy


@contextmanager
def service(
    source: Path, parts: Sequence[str] = (), **variables: str
) -> Iterator[Path]:
    """Generate a service from the template."""
    env = processes.environment(**variables)
    with TemporaryDirectory(prefix="service-") as folder:
        new = ("template", "new", "acme", "--from", str(source), "--version", "HEAD")
        processes.run((TRUNKLINE, *new, *NAMES, *parts), cwd=Path(folder), env=env)
        yield Path(folder, "acme")


def run(rounds: int) -> list[Comparison]:
    """Generate services in turns; the first of each kind only fills caches."""
    with template() as source, TemporaryDirectory(prefix="cache-") as cache:
        samples = interleaved(
            rounds,
            {
                "all parts": partial(green, source, XDG_CACHE_HOME=cache),
                "no part": partial(green, source, SMALL, XDG_CACHE_HOME=cache),
                "setup": partial(set_up, source, XDG_CACHE_HOME=cache),
                "alone": partial(generate, source, XDG_CACHE_HOME=cache),
                "copier": partial(by_copier, source),
            },
        )
        cold = nothing_cached(source)
    what = "generate, make setup, make test"
    ours, theirs = samples["alone"], samples["copier"]
    return [
        alone(f"{what}, warm ({STATED})", "s", samples["all parts"]),
        replace(alone(f"{what}, warm, no part", "s", samples["no part"]), bounded=True),
        replace(alone("make setup, warm", "s", samples["setup"]), bound=SETUP),
        Comparison(what=f"{what}, nothing cached", unit="s", ours=cold),
        compared("generate", "s", peer="copier copy", ours=ours, theirs=theirs),
    ]


def generate(source: Path, **variables: str) -> float:
    """Return the seconds to generate a service."""
    begun = perf_counter()
    with service(source, **variables):
        return perf_counter() - begun


def green(source: Path, parts: Sequence[str] = (), **variables: str) -> float:
    """Return the seconds to generate a service, set it up and pass its tests."""
    begun = perf_counter()
    with service(source, parts, **variables) as folder:
        for target in ("setup", "test"):
            env = processes.environment(**variables)
            processes.run(("make", target), cwd=folder, env=env)
        return perf_counter() - begun


def set_up(source: Path, **variables: str) -> float:
    """Return the seconds of the first `make setup` in a new service."""
    with service(source, **variables) as folder:
        env = processes.environment(**variables)
        return processes.seconds_of(("make", "setup"), cwd=folder, env=env)


def nothing_cached(source: Path) -> float:
    """Return the same with empty caches."""
    with TemporaryDirectory(prefix="cache-") as cache:
        return green(source, XDG_CACHE_HOME=cache, UV_CACHE_DIR=f"{cache}/uv")


def by_copier(source: Path) -> float:
    """Return the seconds that copier takes to generate a service."""
    with TemporaryDirectory(prefix="service-") as folder:
        options = ("--defaults", "--quiet", "--vcs-ref", "HEAD")
        command = (COPIER, "copy", *options, f"git+file://{source}", "acme-api")
        return processes.seconds_of(command, cwd=Path(folder))
