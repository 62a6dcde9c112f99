"""`trunkline publish` of a new commit for two platforms, beside one."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import pytest
import tomlkit
from registries import Server, running_registry
from samples import build_template, copied
from services import SERVER, Service, add_service, require_engine
from trunkline.errors import Refusal
from trunkline.images.engine import require_platforms

import containers as docker

from benchmarks.harness.benchmark import BenchmarkError, Comparison, UnavailableError
from benchmarks.harness.samples import compared, interleaved

ONE = "linux/amd64"
# What the builder emulates, or else runs as a variant of this machine's own.
SECOND = ("linux/arm64", "linux/amd64/v2")
serial = count()


def run(rounds: int) -> list[Comparison]:
    """Publish in turns: build, test and push an image of Python and one file."""
    second = other_platform()
    with template() as (folder, server):
        alone, both = (
            service(folder, server, *platforms) for platforms in ((ONE,), (ONE, second))
        )
        samples = interleaved(
            rounds, {"one": partial(seconds, alone), "two": partial(seconds, both)}
        )
    return [
        compared(
            f"publish for {ONE} and {second}",
            "s",
            peer=f"for {ONE}",
            ours=samples["two"],
            theirs=samples["one"],
        )
    ]


def other_platform() -> str:
    """Return a second platform that the builder runs; raises UnavailableError."""
    if reason := docker.absent():
        raise UnavailableError(f"needs a container engine: {reason}")
    try:
        require_engine()
    except (pytest.skip.Exception, pytest.fail.Exception) as error:
        raise UnavailableError(str(error)) from error
    builder = docker.run("buildx", "inspect", "default").stdout
    for platform in SECOND:
        try:
            require_platforms(builder, [platform])
        except Refusal:
            continue
        return platform
    raise UnavailableError(f"needs a builder for one of {', '.join(SECOND)}")


@contextmanager
def template() -> Iterator[tuple[Path, Server]]:
    """Yield a folder with a project to copy, and an empty registry."""
    with TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        build_template(folder / "template")
        with running_registry(folder) as server:
            yield folder, server


def service(folder: Path, server: Server, *platforms: str) -> Service:
    """Make a service that is published for these platforms."""
    made = copied(folder / "template", folder / str(len(platforms)))
    found = add_service(made, server)
    document = tomlkit.parse(made.read("pyproject.toml"))
    document["tool"]["trunkline"]["platforms"] = list(platforms)
    made.commit("build: platforms", {"pyproject.toml": tomlkit.dumps(document)})
    return found


def seconds(one: Service) -> float:
    """Return the seconds in which a commit that nobody has built is published."""
    one.sample.commit("feat: more", {"server.py": f"{SERVER}# {next(serial)}\n"})
    one.sample.push()
    begun = perf_counter()
    ran = one.sample.run("trunkline", "publish")
    taken = perf_counter() - begun
    if ran.code or one.head not in one.tags():
        raise BenchmarkError(ran.all[-500:])
    return taken
