"""Containers of the image: their start, and the requests in flight at their end."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from time import perf_counter, sleep
from uuid import uuid4

from benchmarks import images, processes
from benchmarks.benchmark import BenchmarkError, Comparison
from benchmarks.samples import compared, interleaved
from tests.images import engine as docker
from tests.images.draining import answers_while_stopping
from tests.images.engine import Container, Image, running

REQUESTS = 20
PUBLISHED = ("--publish=127.0.0.1::8000", "--env=APP_ENVIRONMENT=staging")
COMPILED = "COPY --from=stdlib /layer/ /\n"


def start(rounds: int) -> list[Comparison]:
    """Start each image in turn, ours without its compiled standard library, too."""
    with images.building() as (engine, project):
        built = {
            shape.name: engine.build(project, file=shape.file)
            for shape in (images.OURS, *images.PEERS)
        }
        images.replace(project / "Dockerfile", COMPILED, "")
        built["ours, uncompiled library"] = engine.build(project)
        measures = {name: partial(first_answer, it) for name, it in built.items()}
        samples = interleaved(rounds, measures)
    ours = samples.pop(images.OURS.name)
    return [
        compared("start to first 200", "s", peer=peer, ours=ours, theirs=samples[peer])
        for peer in reversed(samples)
    ]


def first_answer(image: Image) -> float:
    """Return the seconds from the start of the process to its first 200."""
    with created(image) as container:
        docker.run("start", container.name)
        port = container.port
        limit = perf_counter() + processes.START_SECONDS
        while processes.get(port, "/healthz") is None:
            if perf_counter() > limit:
                raise BenchmarkError(f"no answer: {container.logs()[-500:]}")
            sleep(0.002)
        answered = datetime.now(UTC)
        return (
            answered - datetime.fromisoformat(container.state()["StartedAt"])
        ).total_seconds()


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
