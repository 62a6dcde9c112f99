"""Metrics of several workers."""

import os
from pathlib import Path

import pytest

from my_app.core.platform.observability.metrics import (
    Metrics,
    Workers,
)


def test_the_numbers_of_living_workers_are_added_up(tmp_path: Path) -> None:
    own, parent = os.getpid(), os.getppid()
    for pid in (own, parent, 2**22 + 1):
        (tmp_path / f"histogram_{pid}.db").touch()
    both = {each.name: each.samples[0].value for each in Workers(tmp_path).collect()}
    (tmp_path / f"histogram_{parent}.db").unlink()
    one = {each.name: each.samples[0].value for each in Workers(tmp_path).collect()}

    assert both["process_resident_memory_bytes"] > one["process_resident_memory_bytes"]
    started = "process_start_time_seconds"
    assert both[started] <= one[started]


def test_the_collections_of_a_worker_are_exposed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    metrics = Metrics(version="1", commit="a", branch="main")
    metrics.expose()

    exposed = metrics.registry.get_sample_value(
        "python_gc_collections_total", {"generation": "0"}
    )
    assert exposed is not None
    assert exposed > 0
