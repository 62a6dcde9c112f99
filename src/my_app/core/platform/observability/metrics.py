"""Prometheus metrics: what is measured of every request, and their exposition."""

import os

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

# What may stand in a label, so that a caller who makes up methods makes no series.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"


class Metrics:
    """The metrics of one application, in a registry of its own."""

    def __init__(self, *, version: str, commit: str, branch: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.requests = Histogram(
            "http_request_duration_seconds",
            "Time from the first byte of a request to the end of its response.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        Gauge(
            "build_info",
            "Always 1; its labels say what is running.",
            ("version", "commit", "branch"),
            registry=self.registry,
            multiprocess_mode="max",
        ).labels(version, commit, branch).set(1)
        self._children: dict[tuple[str, str, int], Histogram] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Record one finished request."""
        key = (method, route, status)
        child = self._children.get(key)
        if child is None:
            # Looking the child up by its labels costs more than recording with it.
            known = method if method in METHODS else "OTHER"
            child = self.requests.labels(known, route, str(status))
            if known == method:
                self._children[key] = child
        child.observe(seconds)

    def expose(self) -> bytes:
        """Return all metrics in Prometheus's text format.

        With several worker processes each keeps its own numbers in files, and any of
        them answers for all: prometheus_client does so when PROMETHEUS_MULTIPROC_DIR
        is set, as `my-app --workers` does.
        """
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self.registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
