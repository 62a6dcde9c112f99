"""The size of a generated service and of the tool, and the time of `make test`."""

from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.development import generation
from benchmarks.development.loop import empty_test
from benchmarks.harness import checkouts, processes
from benchmarks.harness.benchmark import Bound, Comparison
from benchmarks.harness.processes import PROJECT
from benchmarks.harness.samples import compared, interleaved

TOOL = PROJECT / "packages/trunkline/src"
LOCK = "uv.lock"
# Subjects with bounds of their own.
LATER = {"feature", "loop", "deploy"}
# Lines elsewhere that the tool got for new tasks since its bound was set: record 19.
SINCE = 1_950


def run(_: int) -> list[Comparison]:
    """Count the files and lines of services and of the tool."""
    found = []
    with generation.template() as source:
        for parts, what, bound in (
            ((), "all parts", True),
            (generation.SMALL, "no optional part", False),
        ):
            with generation.service(source, parts) as service:
                found += counted(service, what, bounded=bound)
    tool = lines(
        file
        for file in TOOL.rglob("*.py")
        if not LATER & {*file.relative_to(TOOL).parts}
    )
    what = f"tool, lines but {SINCE:,} and feature, loop, deploy"
    return [*found, figure(what, tool - SINCE, 12_000)]


def counted(service: Path, what: str, *, bounded: bool) -> list[Comparison]:
    """Count what a team gets, without its lock file."""
    listed = processes.run(("git", "ls-files", "-z"), cwd=service).stdout.split("\0")
    files = [service / name for name in listed if name and name != LOCK]
    roots = {file.relative_to(service).parts[0] for file in files} | {LOCK}
    limits = (160, 12_000, 20) if bounded else (None, None, None)
    counts = (len(files), lines(files), len(roots))
    kinds = ("files", "lines", "entries in the root")
    return [
        figure(f"service with {what}, {kind}", count, limit)
        for kind, count, limit in zip(kinds, counts, limits, strict=True)
    ]


def figure(what: str, count: int, limit: int | None) -> Comparison:
    """Return a count and its bound."""
    bound = None if limit is None else Bound(limit)
    return Comparison(what=what, unit="", ours=count, bound=bound)


def lines(files: Iterable[Path]) -> int:
    """Count the lines of files, as `wc -l` does."""
    return sum(file.read_bytes().count(b"\n") for file in files)


def make_test(rounds: int) -> list[Comparison]:
    """Run `make test` in the template and in a new service, and one empty test."""
    with ExitStack() as stack:
        copy = stack.enter_context(checkouts.development())
        source = stack.enter_context(generation.template())
        service = stack.enter_context(generation.service(source))
        empty = Path(stack.enter_context(TemporaryDirectory()))
        folders = {"template": copy, "service": service}
        measures = {name: partial(seconds, folder) for name, folder in folders.items()}
        samples = interleaved(rounds, measures | {"pytest": empty_test(copy, empty)})
    return [
        compared(
            f"make test, {name}",
            "s",
            peer="pytest, one empty test",
            ours=samples[name],
            theirs=samples["pytest"],
            bounded=True,
        )
        for name in ("service", "template")
    ]


def seconds(folder: Path) -> float:
    """Return the seconds that `make test` takes."""
    return processes.seconds_of(("make", "test"), cwd=folder)
