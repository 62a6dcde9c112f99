"""Containers of the image: their start, and the requests in flight at their end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from time import perf_counter, sleep
from typing import NamedTuple
from uuid import uuid4

from benchmarks import images, machine, processes
from benchmarks.benchmark import BenchmarkError, Comparison
from benchmarks.samples import compared_by_best, interleaved
from tests.images import engine as docker
from tests.images.draining import answers_while_stopping
from tests.images.engine import Container, Image, running

REQUESTS = 20
PUBLISHED = ("--publish=127.0.0.1::8000", "--env=APP_ENVIRONMENT=staging")
UNCOMPILED = "ours, uncompiled library"
COMPILED = "COPY --from=stdlib /layer/ /\n"


class Start(NamedTuple):
    """The seconds to the first 200, and the CPU's share of them."""

    seconds: float
    cpu: float | None


def start(rounds: int) -> list[Comparison]:
    """Start each image in turn, ours without its compiled standard library, too.

    A start is the same work each time, so the best of all rounds is compared.
    """
    with images.building() as (engine, project):
        built = {
            shape.name: engine.build(project, file=shape.file)
            for shape in (images.OURS, *images.PEERS)
        }
        images.replace(project / "Dockerfile", COMPILED, "")
        built[UNCOMPILED] = engine.build(project)
        measures = {name: partial(first_answer, it) for name, it in built.items()}
        samples = interleaved(rounds, measures)
    peers = (UNCOMPILED, *(shape.name for shape in images.PEERS))
    return [
        *compared_starts("start to first 200", samples, peers, 0),
        *compared_starts("CPU time of it", samples, peers, 1),
    ]


def compared_starts(
    what: str, samples: dict[str, list[Start]], peers: Sequence[str], field: int
) -> list[Comparison]:
    """Compare one field of ours with that of each peer, where the system tells it."""
    values = {name: [each[field] for each in found] for name, found in samples.items()}
    known = {
        name: [each for each in found if each is not None]
        for name, found in values.items()
    }
    if any(len(known[name]) < len(values[name]) for name in values):
        return []
    ours = known[images.OURS.name]
    return [
        compared_by_best(what, "s", peer=peer, ours=ours, theirs=known[peer])
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
    """Make a container without starting it, and remove it at the end."""
    name = f"benchmark-{uuid4().hex}"
    docker.run("create", f"--name={name}", *PUBLISHED, image.name)
    try:
        yield Container(name)
    finally:
        docker.run("container", "rm", "--force", "--volumes", name)


def drain(rounds: int) -> list[Comparison]:
    """Stop a container again and again while request bodies arrive; count losses."""
    lost = 0
    with images.building() as (engine, project):
        image = engine.build(project)
        for _ in range(rounds):
            with running(image) as container:
                answers = answers_while_stopping(container, requests=REQUESTS)
            lost += sum(not answer.startswith(b"HTTP/1.1 200") for answer in answers)
    what = f"lost of {rounds * REQUESTS} requests in flight"
    return [Comparison(what=what, unit="", ours=lost)]
