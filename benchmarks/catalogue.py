"""Every benchmark, in the order in which they run."""

from benchmarks import imports, reload, setup, start, throughput, watch
from benchmarks.benchmark import Benchmark, Bound

BENCHMARKS: tuple[Benchmark, ...] = (
    Benchmark(
        name="throughput",
        bound=Bound(limit=0.90, at_least=True),
        run=throughput.run,
        profile=throughput.profile,
        rounds=15,
        quick_rounds=4,
    ),
    Benchmark(
        name="start",
        run=start.run,
        profile=start.profile,
        rounds=15,
        quick_rounds=4,
    ),
    Benchmark(
        name="import",
        bound=Bound(limit=1.35),
        run=imports.run,
        profile=imports.profile,
        rounds=25,
        quick_rounds=7,
    ),
    Benchmark(
        name="reload",
        bound=Bound(limit=1.25),
        run=reload.run,
        profile=reload.profile,
        rounds=9,
        quick_rounds=3,
    ),
    Benchmark(
        name="watch",
        bound=Bound(limit=2.0),
        run=watch.run,
        profile=watch.profile,
        rounds=7,
        quick_rounds=3,
    ),
    Benchmark(
        name="setup",
        bound=Bound(limit=2.0, unit=" s"),
        run=setup.run,
        profile=setup.profile,
        rounds=5,
        quick_rounds=2,
    ),
)
