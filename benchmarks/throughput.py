"""Requests per second with full observability, against servers without any."""

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks import machine, processes, profiles
from benchmarks.benchmark import BenchmarkError, Comparison
from benchmarks.load import client_name, load
from benchmarks.samples import compared, interleaved
from benchmarks.server import PEERS

PATH = "/hello"
TITLES = {"bare_fastapi": "FastAPI", "bare_starlette": "Starlette"}
MICROSECONDS, MEGABYTE = 1_000_000, 1_000_000
PROFILED_SECONDS = 3


class Sample(NamedTuple):
    """The figures of one round of load."""

    requests: int
    requests_per_second: float
    cpu_per_request: float | None
    resident_bytes: int | None = None


class Server(NamedTuple):
    """A running peer."""

    process: Popen[bytes]
    port: int


def run(rounds: int) -> list[Comparison]:
    """Load the three servers in turns of one second."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        servers = {
            peer: stack.enter_context(served(peer, Path(folder))) for peer in PEERS
        }
        samples = interleaved(
            rounds,
            {peer: partial(sample, server) for peer, server in servers.items()},
        )
        check_access_log(
            Path(folder, "ours.log"), sum(each.requests for each in samples["ours"])
        )
    return [*compare(samples)]


@contextmanager
def served(peer: str, folder: Path, *through: str | Path) -> Iterator[Server]:
    """Run one server on its CPU, with its output in a file.

    `through` are the arguments of Python that come before its module.
    """
    port = processes.free_port()
    module = ("-m", "benchmarks.server", peer, str(port))
    command = (sys.executable, *through, *module)
    env = processes.environment(APP_ENVIRONMENT="staging")
    with ExitStack() as stack:
        output = stack.enter_context(Path(folder, f"{peer}.log").open("wb"))
        with machine.pinned(machine.cpus().server):
            process = stack.enter_context(
                processes.started(command, env=env, output=output)
            )
        processes.wait_for(process, port, PATH)
        yield Server(process, port)


def sample(server: Server) -> Sample:
    """Load one server for a second."""
    before = machine.cpu_seconds(server.process.pid)
    requests, seconds = load(server.port, PATH, seconds=1)
    after = machine.cpu_seconds(server.process.pid)
    used = None if before is None or after is None else (after - before) / requests
    held = machine.resident_bytes(server.process.pid)
    return Sample(requests, requests / seconds, used, held)


def check_access_log(log: Path, requests: int) -> None:
    """Check that the access log, which is part of what is measured, was written."""
    with log.open("rb") as lines:
        written = sum(b'"http.response.status_code":200' in line for line in lines)
    if written < requests:
        raise BenchmarkError(f"found {written} lines for {requests} requests in {log}")


def compare(samples: dict[str, list[Sample]]) -> Iterator[Comparison]:
    """Compare with each peer what a request takes, and what a worker."""
    client, figures = client_name(), {p: columns(each) for p, each in samples.items()}
    kinds = [
        (f"requests/s ({client})", "/s"),
        ("server CPU per request", "µs"),
        ("memory of a worker", "MB"),
    ]
    for number, (what, unit) in enumerate(kinds):
        ours = figures["ours"][number]
        for peer, title in TITLES.items():
            theirs = figures[peer][number]
            if ours and theirs:
                yield compared(what, unit, peer=title, ours=ours, theirs=theirs)


def columns(found: Sequence[Sample]) -> tuple[list[float], list[float], list[float]]:
    """Return rates, CPU times and memory; none of what the machine does not report."""
    return (
        [each.requests_per_second for each in found],
        [it * MICROSECONDS for each in found if (it := each.cpu_per_request)],
        [it / MEGABYTE for each in found if (it := each.resident_bytes)],
    )


def profile() -> str:
    """Show the functions that take longer than in bare FastAPI."""
    return profiles.side_by_side(
        "own time in µs per request, under cProfile, which slows everything down",
        ours=profiled("ours"),
        theirs=profiled("bare_fastapi"),
        peer="FastAPI",
    )


def profiled(peer: str) -> dict[str, float]:
    """Return each function's own time per request, without the start."""
    with TemporaryDirectory() as folder:
        idle, loaded = Path(folder, "idle"), Path(folder, "loaded")
        recorded(peer, idle, seconds=0)
        requests = recorded(peer, loaded, seconds=PROFILED_SECONDS)
        return profiles.per_request(idle, loaded, requests)


def recorded(peer: str, file: Path, *, seconds: int) -> int:
    """Write the profile of one server and return the number of answered requests."""
    requests = 0
    with served(peer, file.parent, "-m", "cProfile", "-o", file) as server:
        if seconds:
            requests, _ = load(server.port, PATH, seconds=seconds)
        # uvicorn returns from SIGINT, which lets the profile be written.
        server.process.send_signal(signal.SIGINT)
        server.process.wait(processes.STOP_SECONDS)
    return requests
