"""Requests per second with full observability, against servers without any."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness import processes, profiles
from benchmarks.harness.benchmark import BenchmarkError, Comparison
from benchmarks.harness.samples import compared, interleaved
from benchmarks.service.load import Sample, client_name, columns, load, sample
from benchmarks.service.peers.serve import PEERS
from benchmarks.service.servers import served

PATH = "/hello"
TITLES = {"bare_fastapi": "FastAPI", "bare_starlette": "Starlette"}
PROFILED_SECONDS = 3


def run(rounds: int) -> list[Comparison]:
    """Load the three servers in turns of one second."""
    with ExitStack() as stack:
        servers = {peer: stack.enter_context(served(peer, PATH)) for peer in PEERS}
        measures = {
            peer: partial(sample, server, partial(load, server.port, PATH, seconds=1))
            for peer, server in servers.items()
        }
        samples = interleaved(rounds, measures)
        requests = sum(each.requests for each in samples["ours"])
        check_access_log(servers["ours"].log, requests)
    return [*compare(samples)]


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
    with served(peer, PATH, "-m", "cProfile", "-o", file) as server:
        if seconds:
            requests, _ = load(server.port, PATH, seconds=seconds)
        # uvicorn returns from SIGINT, which lets the profile be written.
        server.process.send_signal(signal.SIGINT)
        server.process.wait(processes.STOP_SECONDS)
    return requests
