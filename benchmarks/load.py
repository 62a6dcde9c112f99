"""Generate load with wrk, or with a client in Python where wrk is missing."""

import re
import shutil
import sys
from typing import NamedTuple

from benchmarks import machine, processes
from benchmarks.benchmark import BenchmarkError

CONNECTIONS = 32


class Load(NamedTuple):
    """How many requests were answered in how many seconds."""

    requests: int
    seconds: float


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
        return python_client(port, path, seconds)


def wrk(port: int, path: str, seconds: int) -> Load:
    """Run wrk with one thread."""
    options = ("-t1", f"-c{CONNECTIONS}", f"-d{seconds}s")
    said = processes.run(("wrk", *options, f"http://127.0.0.1:{port}{path}")).stdout
    found = re.search(r"(\d+) requests in ([\d.]+)s", said)
    if found is None or "Non-2xx" in said or "Socket errors" in said:
        raise BenchmarkError(f"wrk reported errors: {said}")
    return Load(int(found[1]), float(found[2]))


def python_client(port: int, path: str, seconds: int) -> Load:
    """Run `benchmarks.client` in a process of its own."""
    return send(
        port, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", seconds=seconds
    )


def send(port: int, request: str, *, seconds: int) -> Load:
    """Send any request repeatedly, as `benchmarks.client` does."""
    options = (str(port), str(seconds), str(CONNECTIONS), request)
    command = (sys.executable, "-m", "benchmarks.client", *options)
    with machine.pinned(machine.cpus().client):
        requests, took = processes.run(command).stdout.split()
    return Load(int(requests), float(took))
