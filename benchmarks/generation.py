"""From the template to a service with green tests, by one command each."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks import checkouts, processes, releases
from benchmarks.benchmark import Comparison
from benchmarks.samples import alone, compared, interleaved

TRUNKLINE = releases.TOOLS / "trunkline"
COPIER = releases.TOOLS / "copier"
NAMES = ("--package", "acme_api", "--title", "Acme API")
SMALL = ("--without", "billing", "--without", "persistence")
STEPS: tuple[tuple[str, ...], ...] = (
    ("make", "setup"),
    ("uv", "run", "pytest", "--no-cov", "-m", "not slow"),
)
# The reference service-template states these for its set-up alone.
STATED = "3-5 s warm, 15-30 s cold, stated for set-up alone"


@contextmanager
def template() -> Iterator[Path]:
    """Commit the project as it is, for services to be made of."""
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


def run(rounds: int) -> list[Comparison]:
    """Make services in turns; the first of each kind only fills caches."""
    with template() as source, TemporaryDirectory(prefix="cache-") as cache:
        stored = {"XDG_CACHE_HOME": cache}
        whole, small = (
            partial(seconds, source, parts, stored, STEPS) for parts in ((), SMALL)
        )
        made = interleaved(
            rounds,
            {
                "ours": partial(seconds, source, (), stored),
                "copier": partial(by_copier, source),
            },
        )
        green = interleaved(rounds, {"whole": whole, "small": small})
        cold = nothing_cached(source)
    what = "generate, make setup, quick tests"
    ours, theirs = made["ours"], made["copier"]
    return [
        alone(f"{what}, warm ({STATED})", "s", green["whole"]),
        replace(alone(f"{what}, warm, no part", "s", green["small"]), bounded=True),
        Comparison(what=f"{what}, nothing cached", unit="s", ours=cold),
        compared("generate", "s", peer="copier copy", ours=ours, theirs=theirs),
    ]


def seconds(
    source: Path,
    parts: tuple[str, ...],
    variables: Mapping[str, str],
    steps: tuple[tuple[str, ...], ...] = (),
) -> float:
    """Return the seconds to make a service and take these steps in it."""
    env = processes.environment(**variables)
    with TemporaryDirectory(prefix="service-") as folder:
        begun = perf_counter()
        new = ("template", "new", "acme", "--from", str(source), "--version", "HEAD")
        processes.run((TRUNKLINE, *new, *NAMES, *parts), cwd=Path(folder), env=env)
        for step in steps:
            processes.run(step, cwd=Path(folder, "acme"), env=env)
        return perf_counter() - begun


def nothing_cached(source: Path) -> float:
    """Return the seconds for somebody whose home is empty."""
    with TemporaryDirectory(prefix="cache-") as cache:
        variables = {"XDG_CACHE_HOME": cache, "UV_CACHE_DIR": f"{cache}/uv"}
        return seconds(source, (), variables, STEPS)


def by_copier(source: Path) -> float:
    """Return the seconds that copier takes to make a service."""
    with TemporaryDirectory(prefix="service-") as folder:
        options = ("--defaults", "--quiet", "--vcs-ref", "HEAD")
        command = (COPIER, "copy", *options, str(source), "acme-api")
        return processes.seconds_of(command, cwd=Path(folder))
