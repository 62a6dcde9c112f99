"""From the start of the process to the first answer."""

from functools import partial
from pathlib import Path
from time import perf_counter

from benchmarks import checkouts, processes, profiles
from benchmarks.benchmark import Comparison
from benchmarks.samples import compared, interleaved


def run(rounds: int) -> list[Comparison]:
    """Start both servers in turns, in an environment without development tools."""
    with checkouts.production() as python:
        samples = interleaved(
            rounds,
            {
                "ours": partial(start, python, ("my_app", "--port"), "/healthz"),
                "FastAPI": partial(
                    start, python, ("benchmarks.server", "bare_fastapi"), "/hello"
                ),
            },
        )
    return [
        compared(
            "start to first 200",
            "s",
            peer="FastAPI",
            ours=samples["ours"],
            theirs=samples["FastAPI"],
        )
    ]


def start(python: Path, module: tuple[str, ...], path: str) -> float:
    """Return the seconds from starting a server to its first answer."""
    port = processes.free_port()
    begun = perf_counter()
    command: list[str | Path] = [python, "-m", *module, str(port)]
    env = processes.environment(APP_ENVIRONMENT="staging")
    with processes.started(command, env=env) as process:
        processes.wait_for(process, port, path)
        return perf_counter() - begun


def profile() -> str:
    """Show what is imported: nearly all of a start is that."""
    with checkouts.production() as python:
        return profiles.imports(
            python,
            ours="import uvicorn, httptools, my_app.main",
            theirs="import uvicorn, httptools, fastapi",
            env=processes.environment(APP_ENVIRONMENT="staging"),
        )
