"""CPU time of a request, ours and bare FastAPI's: two servers in one process, in turns.

`python -m benchmarks.service.cpu ROUNDS FOLDER` leaves the figures in the folder.
"""

import asyncio
import cProfile
import json
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import NamedTuple

import uvicorn

from benchmarks.harness import processes, profiles
from benchmarks.harness.benchmark import BenchmarkError, Bound, Comparison
from benchmarks.harness.samples import compared, interleaved
from benchmarks.service.client import LENGTH
from benchmarks.service.load import MICROSECONDS
from benchmarks.service.peers.serve import options
from benchmarks.service.throughput import check_access_log

PEERS = ("ours", "bare_fastapi")
BODY = json.dumps({"seats": 12, "usage": 25_000, "currency": "EUR"})
REQUESTS = {
    "small": "GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "quote": "POST /billing/quotes HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n{BODY}",
}
LIMITS = {"small": 1.22, "quote": 1.19}
# Short rounds: the best is one that nothing interrupted.
REQUESTS_PER_ROUND = 64
PROFILED_ROUNDS = 50


class Server(NamedTuple):
    """A peer served by this process. The event loop keeps only weak references."""

    port: int
    task: asyncio.Task[None]


def run(rounds: int) -> list[Comparison]:
    """Compare the best round of each."""
    with TemporaryDirectory() as folder:
        started(folder, rounds)
        check_access_log(Path(folder, "log"), rounds * REQUESTS_PER_ROUND)
        found = json.loads(Path(folder, "figures.json").read_bytes())
    return [
        replace(
            compared(
                f"CPU per request, {what}",
                "µs",
                peer="FastAPI",
                ours=found[f"ours {what}"],
                theirs=found[f"bare_fastapi {what}"],
                best=True,
            ),
            bound=Bound(limit),
        )
        for what, limit in LIMITS.items()
    ]


def profile() -> str:
    """Show the functions that take longer than in bare FastAPI, in a quote."""
    with TemporaryDirectory() as folder:
        started(folder, 0)
        ours, theirs = (
            profiles.per_request(
                Path(folder, f"{peer} begun"),
                Path(folder, f"{peer} ended"),
                PROFILED_ROUNDS * REQUESTS_PER_ROUND,
            )
            for peer in PEERS
        )
    title = "own time in µs per quote, under cProfile, which slows everything down"
    return profiles.side_by_side(title, ours=ours, theirs=theirs, peer="FastAPI")


def started(folder: str, rounds: int) -> None:
    """Measure in a process of its own, with the access log in a file."""
    command = (sys.executable, "-m", "benchmarks.service.cpu", str(rounds), folder)
    env = processes.environment(APP_ENVIRONMENT="staging")
    with (
        Path(folder, "log").open("wb") as log,
        processes.started(command, env=env, output=log) as process,
    ):
        if code := process.wait(processes.RUN_SECONDS):
            said = Path(folder, "log").read_text(encoding="utf-8")[-1000:]
            raise BenchmarkError(f"found exit code {code}, expected 0: {said}")


def main(rounds: int, folder: Path) -> None:
    """Serve both on one event loop and measure them; without rounds, profile them."""
    with asyncio.Runner() as runner:
        servers = {peer: runner.run(served(peer)) for peer in PEERS}

        def measure(peer: str, what: str) -> float:
            return runner.run(spent(servers[peer].port, REQUESTS[what].encode()))

        measures = {
            f"{peer} {what}": partial(measure, peer, what)
            for what in REQUESTS
            for peer in PEERS
        }
        # Warms up, without rounds too.
        found = interleaved(rounds, measures)
        Path(folder, "figures.json").write_text(json.dumps(found), encoding="utf-8")
        if not rounds:
            quotes = {peer: measures[f"{peer} quote"] for peer in PEERS}
            record(quotes, folder)


def record(measures: Mapping[str, Callable[[], float]], folder: Path) -> None:
    """Profile in turns: the first round of each, and all of them."""
    profilers = {name: cProfile.Profile() for name in measures}
    for number in range(PROFILED_ROUNDS + 1):
        for name, measure in measures.items():
            with profilers[name]:
                measure()
            if number in {0, PROFILED_ROUNDS}:
                when = "ended" if number else "begun"
                profilers[name].dump_stats(folder / f"{name} {when}")


async def served(peer: str) -> Server:
    """Start one server in this loop."""
    port = processes.free_port()
    server = uvicorn.Server(uvicorn.Config(**options(peer, port)))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    return Server(port, task)


async def spent(port: int, request: bytes) -> float:
    """Return the CPU time of a request in microseconds.

    The client's own time does not count, and neither does the first request, with which
    the server accepts the connection.
    """
    used = 0.0
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setblocking(False)
        for number in range(REQUESTS_PER_ROUND + 1):
            client.sendall(request)
            answer = b""
            while not is_whole(answer):
                begun = process_time()
                await asyncio.sleep(0)  # one turn of the event loop
                used += process_time() - begun if number else 0
                with suppress(BlockingIOError):
                    answer += client.recv(65_536) or b"connection closed\r\n\r\n"
    return used / REQUESTS_PER_ROUND * MICROSECONDS


def is_whole(answer: bytes) -> bool:
    """Whether all of a good answer has arrived."""
    head, end, body = answer.partition(b"\r\n\r\n")
    if end and not head.startswith(b"HTTP/1.1 200 "):
        raise BenchmarkError(f"found {head!r}, expected 200")
    length = LENGTH.search(head)
    return bool(end and length and len(body) == int(length[1]))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
