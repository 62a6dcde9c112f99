"""Prometheus metrics: the requests, the build and the process."""

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

# Methods allowed as labels, so that invented ones do not create new series.
METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET"}
)
UNMATCHED = "unmatched"


class Metrics:
    """The metrics of one application, in their own registry."""

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
            "Always 1; the labels identify the running build.",
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
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self.registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
