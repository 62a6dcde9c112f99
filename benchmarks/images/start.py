"""The start of a container."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from time import perf_counter, sleep
from typing import NamedTuple
from uuid import uuid4

import containers as docker
from containers import Container, Image

from benchmarks.harness import machine, processes
from benchmarks.harness.benchmark import BenchmarkError, Comparison
from benchmarks.harness.samples import compared, interleaved
from benchmarks.images import layers

PUBLISHED = ("--publish=127.0.0.1::8000", "--env=APP_ENVIRONMENT=staging")
UNCOMPILED = "ours, uncompiled library"
COMPILED = "COPY --from=stdlib /layer/ /\n"


class Start(NamedTuple):
    """Seconds to the first 200, and the CPU time in them."""

    seconds: float
    cpu: float | None


def start(rounds: int) -> list[Comparison]:
    """Start each image in turn, and ours without its compiled standard library.

    A start is the same work each time, so the best of all rounds is compared.
    """
    with layers.building() as (engine, project):
        built = {
            shape.name: engine.build(project, file=shape.file)
            for shape in (layers.OURS, *layers.PEERS)
        }
        layers.replace(project / "Dockerfile", COMPILED, "")
        built[UNCOMPILED] = engine.build(project)
        measures = {name: partial(first_answer, it) for name, it in built.items()}
        samples = interleaved(rounds, measures)
    peers = (UNCOMPILED, *(shape.name for shape in layers.PEERS))
    return [
        *compared_starts("start to first 200", samples, peers, 0),
        *compared_starts("CPU time of it", samples, peers, 1),
    ]


def compared_starts(
    what: str, samples: dict[str, list[Start]], peers: Sequence[str], field: int
) -> list[Comparison]:
    """Compare one field with that of each peer, if the system reports it."""
    values = {name: [each[field] for each in found] for name, found in samples.items()}
    known = {
        name: [each for each in found if each is not None]
        for name, found in values.items()
    }
    if any(len(known[name]) < len(values[name]) for name in values):
        return []
    ours = known[layers.OURS.name]
    return [
        compared(what, "s", peer=peer, ours=ours, theirs=known[peer], best=True)
        for peer in peers
    ]


def first_answer(image: Image) -> Start:
    """Start a container and wait for its first 200."""
    with created(image) as container:
        docker.run("start", container.name)
        port = container.port
        limit = perf_counter() + processes.START_SECONDS
        while processes.get(port, "/healthz") is None:
            if perf_counter() > limit:
                raise BenchmarkError(f"no answer: {container.logs()[-500:]}")
            sleep(0.002)
        answered = datetime.now(UTC)
        state = container.state()
        begun = datetime.fromisoformat(state["StartedAt"])
        return Start(
            (answered - begun).total_seconds(), machine.cpu_seconds(state["Pid"])
        )


@contextmanager
def created(image: Image) -> Iterator[Container]:
    """Create a container without starting it, and remove it at the end."""
    name = f"benchmark-{uuid4().hex}"
    docker.run("create", f"--name={name}", *PUBLISHED, image.name)
    try:
        yield Container(name)
    finally:
        docker.run("container", "rm", "--force", "--volumes", name)
