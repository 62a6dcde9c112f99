"""Every benchmark, in the order in which they run."""

from benchmarks import (
    bump,
    containers,
    deploys,
    feature,
    generation,
    growth,
    house,
    images,
    imports,
    invoices,
    loop,
    messages,
    overload,
    reload,
    throughput,
)
from benchmarks.benchmark import Benchmark, Bound

BENCHMARKS: tuple[Benchmark, ...] = (
    Benchmark("house", house.run, rounds=1, quick_rounds=1),
    Benchmark(
        "make-test", house.make_test, rounds=5, quick_rounds=1, bound=Bound(limit=15)
    ),
    Benchmark(
        "generate",
        generation.run,
        rounds=5,
        quick_rounds=1,
        bound=Bound(limit=25, unit=" s"),
    ),
    Benchmark(
        "loop",
        loop.run,
        rounds=7,
        quick_rounds=3,
        profile=loop.profile,
    ),
    Benchmark("feature", feature.run, rounds=3, quick_rounds=1),
    Benchmark(
        "reload",
        reload.run,
        rounds=9,
        quick_rounds=3,
        bound=Bound(limit=1.25),
        profile=reload.profile,
    ),
    Benchmark(
        "throughput",
        throughput.run,
        rounds=15,
        quick_rounds=4,
        bound=Bound(limit=0.90, at_least=True),
        profile=throughput.profile,
    ),
    Benchmark(
        "overload",
        overload.run,
        rounds=5,
        quick_rounds=2,
        bound=Bound(limit=0.90, at_least=True),
    ),
    Benchmark(
        "import",
        imports.run,
        rounds=25,
        quick_rounds=7,
        bound=Bound(limit=1.5),
        profile=imports.profile,
    ),
    Benchmark(
        "invoices",
        invoices.run,
        rounds=15,
        quick_rounds=4,
        bound=Bound(limit=0.75, at_least=True),
    ),
    Benchmark("growth", growth.run, rounds=15, quick_rounds=4, bound=Bound(limit=1.3)),
    Benchmark(
        "bump",
        bump.run,
        rounds=11,
        quick_rounds=4,
        bound=Bound(limit=1.3),
        profile=bump.profile,
    ),
    Benchmark(
        "commit-msg",
        messages.run,
        rounds=25,
        quick_rounds=7,
        bound=Bound(limit=200, unit=" ms"),
    ),
    Benchmark(
        "image-layers", images.layers, rounds=1, quick_rounds=1, bound=Bound(limit=1)
    ),
    Benchmark(
        "image-transfer",
        images.transfer,
        rounds=1,
        quick_rounds=1,
        bound=Bound(limit=200, unit=" kB"),
    ),
    Benchmark(
        "image-size",
        images.size,
        rounds=1,
        quick_rounds=1,
        bound=Bound(limit=25, unit=" MB"),
    ),
    Benchmark(
        "container-start",
        containers.start,
        rounds=11,
        quick_rounds=3,
        bound=Bound(limit=0.6),
    ),
    Benchmark(
        "deploy-local",
        deploys.local,
        rounds=50,
        quick_rounds=3,
        bound=deploys.NONE_LOST,
    ),
    Benchmark(
        "deploy-compose",
        deploys.compose,
        rounds=20,
        quick_rounds=3,
        bound=deploys.NONE_LOST,
    ),
)
