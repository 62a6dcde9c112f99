"""Generate load with wrk, or with a client in Python where wrk is missing."""

import re
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks.harness import machine, processes
from benchmarks.harness.benchmark import BenchmarkError
from benchmarks.service.servers import Server

CONNECTIONS = 32
MICROSECONDS, MEGABYTE = 1_000_000, 1_000_000


class Load(NamedTuple):
    """How many requests were answered in how many seconds."""

    requests: int
    seconds: float


class Sample(NamedTuple):
    """What a server did in one round of load, and took for it."""

    requests: int
    requests_per_second: float
    cpu_per_request: float | None
    resident_bytes: int | None


def client_name() -> str:
    """Name the client that makes the requests."""
    return "wrk" if shutil.which("wrk") else "Python client"


def load(port: int, path: str, *, seconds: int) -> Load:
    """Request `path` over keep-alive connections for some seconds.

    Raises:
        BenchmarkError: where an answer is not 200 or a connection fails.
    """
    with machine.pinned(machine.cpus().client):
        if shutil.which("wrk"):
            return wrk(port, path, seconds)
        get = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        return send(port, get, seconds=seconds)


def wrk(port: int, path: str, seconds: int) -> Load:
    """Run wrk with one thread."""
    options = ("-t1", f"-c{CONNECTIONS}", f"-d{seconds}s")
    said = processes.run(("wrk", *options, f"http://127.0.0.1:{port}{path}")).stdout
    found = re.search(r"(\d+) requests in ([\d.]+)s", said)
    if found is None or "Non-2xx" in said or "Socket errors" in said:
        raise BenchmarkError(f"wrk reported errors: {said}")
    return Load(int(found[1]), float(found[2]))


def send(port: int, request: str, *, seconds: int) -> Load:
    """Send any request repeatedly, by the client in Python."""
    options = (str(port), str(seconds), str(CONNECTIONS), request)
    command = (sys.executable, "-m", "benchmarks.service.client", *options)
    with machine.pinned(machine.cpus().client):
        requests, took = processes.run(command).stdout.split()
    return Load(int(requests), float(took))


def sample(server: Server, ask: Callable[[], Load]) -> Sample:
    """Measure one server under load."""
    pid = server.process.pid
    before = machine.cpu_seconds(pid)
    requests, seconds = ask()
    after = machine.cpu_seconds(pid)
    used = None if before is None or after is None else (after - before) / requests
    return Sample(requests, requests / seconds, used, machine.resident_bytes(pid))


def columns(found: Sequence[Sample]) -> tuple[list[float], list[float], list[float]]:
    """Return rates, CPU times and memory; none of what the machine does not report."""
    return (
        [each.requests_per_second for each in found],
        [it * MICROSECONDS for each in found if (it := each.cpu_per_request)],
        [it / MEGABYTE for each in found if (it := each.resident_bytes)],
    )
