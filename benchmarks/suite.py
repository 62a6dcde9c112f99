"""Every benchmark, in the order in which they run."""

from benchmarks.deploys import cluster, hosts
from benchmarks.development import feature, generation, loop, reload, size
from benchmarks.harness.benchmark import Benchmark, Bound
from benchmarks.images import layers, platforms, shared_layers, start
from benchmarks.releases import bump, commit_msg, release
from benchmarks.service import (
    cpu,
    imports,
    invoices,
    list_growth,
    overload,
    throughput,
)

RATE = Bound(0.90, at_least=True)
READ = Bound(0.75, at_least=True)
PULL, CHANGED = Bound(25, unit=" MB"), Bound(200, unit=" kB")
LOST = Bound(0)

BENCHMARKS: tuple[Benchmark, ...] = (
    Benchmark("size", size.run, (1, 1)),
    Benchmark("make-test", size.make_test, (5, 1), Bound(15)),
    Benchmark("generate", generation.run, (5, 1), Bound(25, unit=" s")),
    Benchmark("loop", loop.run, (7, 3), profile=loop.profile),
    Benchmark("feature", feature.run, (3, 1)),
    Benchmark("reload", reload.run, (9, 3), Bound(1.25), reload.profile),
    Benchmark("throughput", throughput.run, (15, 4), RATE, throughput.profile),
    Benchmark("cpu", cpu.run, (200, 50), profile=cpu.profile),
    Benchmark("overload", overload.run, (5, 2), RATE),
    Benchmark("import", imports.run, (25, 7), Bound(1.5), imports.profile),
    Benchmark("invoices", invoices.run, (15, 4), READ),
    Benchmark("list-growth", list_growth.run, (15, 4), Bound(1.3)),
    Benchmark("bump", bump.run, (11, 4), Bound(1.3), bump.profile),
    Benchmark("release", release.run, (15, 5), Bound(1.2)),
    Benchmark("commit-msg", commit_msg.run, (25, 7), Bound(200, unit=" ms")),
    Benchmark("image-layers", layers.layers, (1, 1), Bound(1)),
    Benchmark("image-transfer", layers.transfer, (1, 1), CHANGED),
    Benchmark("image-size", layers.size, (1, 1), PULL),
    Benchmark("image-cache", shared_layers.steps, (1, 1), Bound(4)),
    Benchmark("publish-platforms", platforms.run, (7, 3)),
    Benchmark("container-start", start.start, (11, 3), Bound(0.6)),
    Benchmark("deploy-local", hosts.local, (50, 3), LOST),
    Benchmark("deploy-compose", hosts.compose, (50, 3), LOST),
    Benchmark("deploy-kubernetes", cluster.run, (20, 3), LOST),
)
