"""Prometheus metrics: the requests, the build and the process."""

import gc
import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    GCCollector,
    Histogram,
    Metric,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

# Methods allowed as labels, so that invented ones do not create new series.
METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET"}
)
UNMATCHED = "unmatched"
# Names the folder in which several workers share their numbers.
SHARED = "PROMETHEUS_MULTIPROC_DIR"
STARTED = "process_start_time_seconds"
COLLECTIONS = {
    "collected": "objects_collected",
    "uncollectable": "objects_uncollectable",
    "collections": "collections",
}


class Metrics:
    """The metrics of one application, in their own registry."""

    def __init__(self, *, version: str, commit: str, branch: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        if SHARED not in os.environ:
            GCCollector(registry=self.registry)
        self.requests = Histogram(
            "http_request_duration_seconds",
            "Time from the first byte of a request to the end of its response.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        Gauge(
            "build_info",
            "Always 1; the labels identify the running build.",
            ("version", "commit", "branch"),
            registry=self.registry,
            multiprocess_mode="max",
        ).labels(version, commit, branch).set(1)
        # The other workers' numbers date from the last time that each was asked.
        self.collections = {
            name: Gauge(
                f"python_gc_{title}_total",
                "As in gc.get_stats, of all workers.",
                ("generation",),
                registry=self.registry,
                multiprocess_mode="livesum",
            )
            for name, title in COLLECTIONS.items()
            if SHARED in os.environ
        }
        self._children: dict[tuple[str, str, int], Histogram] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Record one finished request."""
        key = (method, route, status)
        child = self._children.get(key)
        if child is None:
            # Looking up the child by its labels costs more than recording the value.
            known = method if method in METHODS else "OTHER"
            child = self.requests.labels(known, route, str(status))
            if known == method:
                self._children[key] = child
        child.observe(seconds)

    def expose(self) -> bytes:
        """Return all metrics in Prometheus's text format.

        With several worker processes each keeps its numbers in files, and any of them
        exposes the total: prometheus_client does so if PROMETHEUS_MULTIPROC_DIR is set,
        as `my-app --workers` sets it.
        """
        if SHARED not in os.environ:
            return generate_latest(self.registry)
        for name, gauge in self.collections.items():
            for generation, stats in enumerate(gc.get_stats()):
                gauge.labels(str(generation)).set(stats[name])
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        PlatformCollector(registry=registry)
        registry.register(Workers(Path(os.environ[SHARED])))
        return generate_latest(registry)


class Workers(Collector):
    """The process metrics of all living workers, added up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def collect(self) -> Iterable[Metric]:
        """Read the workers' numbers; a worker's files are gone when it ends."""
        total: dict[str, Metric] = {}
        for pid in {file.stem.rpartition("_")[2] for file in self.folder.glob("*.db")}:
            for metric in ProcessCollector(
                pid=partial(str, pid), registry=None
            ).collect():
                sample = total.setdefault(metric.name, metric).samples[0]
                if total[metric.name] is not metric:
                    both = (sample.value, metric.samples[0].value)
                    value = min(both) if metric.name == STARTED else sum(both)
                    total[metric.name].samples[0] = sample._replace(value=value)
        return total.values()
