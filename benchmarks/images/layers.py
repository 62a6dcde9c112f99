"""Layers and sizes of the image, beside two other ways to build the same service."""

import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from itertools import count
from pathlib import Path
from time import time_ns

import containers as docker
from containers import Engine, Image, base_image

from benchmarks.harness import checkouts
from benchmarks.harness.benchmark import (
    BenchmarkError,
    Bound,
    Comparison,
    UnavailableError,
)

CODE = Path("src/my_app/config.py")
KILOBYTE, MEGABYTE = 1_000, 1_000_000
# No two builds have the same bytes, across runs as well.
serial = count(time_ns() // 1_000_000_000)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A Dockerfile with the name of its approach."""

    name: str
    file: str


OURS = Shape(name="ours", file="Dockerfile")
PEERS = (
    Shape(name="uv example", file="benchmarks/images/uv.Dockerfile"),
    Shape(name="pip install", file="benchmarks/images/pip.Dockerfile"),
)


@contextmanager
def building() -> Iterator[tuple[Engine, Path]]:
    """Yield the engine and a copy of the project; remove the images at the end.

    Raises:
        UnavailableError: there is no engine.
        BenchmarkError: a build failed.
    """
    if reason := docker.absent():
        raise UnavailableError(f"needs a container engine: {reason}")
    engine = Engine()
    try:
        with checkouts.copied() as copy:
            yield engine, copy
    except AssertionError as error:
        raise BenchmarkError(str(error)[-500:]) from error
    finally:
        engine.remove_images()


def change_code(project: Path) -> None:
    """Add a line to the service."""
    with (project / CODE).open("a", encoding="utf-8") as file:
        file.write(f"# {next(serial)}\n")


def bump_version(project: Path) -> None:
    """Give the project another version, as a release does."""
    with (project / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    name, new = 'name = "my-app"\nversion = ', f"{next(serial)}.0.0"
    for file_name in ("pyproject.toml", "uv.lock"):
        replace(project / file_name, f'{name}"{version}"', f'{name}"{new}"')


def replace(file: Path, old: str, new: str) -> None:
    """Replace text that a file must contain."""
    text = file.read_text(encoding="utf-8")
    if old not in text:
        raise BenchmarkError(f"{file.name} has no {old!r}")
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class Weight:
    """Layers that a change adds, or that an image has above its base."""

    layers: int
    packed: int
    unpacked: int


@cache
def weights() -> dict[str, dict[str, Weight]]:
    """Weigh each shape as a whole and after each change, built without a cache."""
    found: dict[str, dict[str, Weight]] = {}
    for shape in (OURS, *PEERS):
        with building() as (engine, project):
            build = partial(engine.build, project, file=shape.file, cached=False)
            whole = build()
            change_code(project)
            changed = build()
            bump_version(project)
            found[shape.name] = {
                "above its base": weigh(Image(base_image()), whole, project),
                "code change": weigh(whole, changed, project),
                "version bump": weigh(changed, build(), project),
            }
    return found


def weigh(before: Image, after: Image, folder: Path) -> Weight:
    """Weigh what has to be pulled to get from `before` to `after`."""
    layers = after.contents(folder, set(after.layers) - set(before.layers))
    return Weight(
        layers=len(layers),
        packed=sum(layer.packed for layer in layers),
        unpacked=sum(layer.size for layer in layers),
    )


def weighed(
    what: str, unit: str, figure: Callable[[Weight], float], limit: float | None = None
) -> list[Comparison]:
    """Compare ours with each peer; `what` begins with the change.

    `limit` is a bound of its own, instead of the benchmark's.
    """
    found = weights()
    kind = what.partition(":")[0]
    return [
        Comparison(
            what=what,
            unit=unit,
            peer=peer.name,
            ours=figure(found[OURS.name][kind]),
            theirs=figure(found[peer.name][kind]),
            bounded=peer is PEERS[0],
            bound=Bound(limit, unit=f" {unit}") if limit and peer is PEERS[0] else None,
        )
        for peer in PEERS
    ]


def layers(_: int) -> list[Comparison]:
    """Count the new layers after a change, built without a cache."""
    return [
        *weighed("code change: new layers", "", lambda it: it.layers),
        *weighed("version bump: new layers", "", lambda it: it.layers),
    ]


def transfer(_: int) -> list[Comparison]:
    """Weigh what is pulled after a change, built without a cache."""
    return [
        *weighed("code change: to pull", "kB", lambda it: it.packed / KILOBYTE),
        *weighed("version bump: to pull", "kB", lambda it: it.packed / KILOBYTE),
    ]


def size(_: int) -> list[Comparison]:
    """Weigh the image above its base."""
    disk = "above its base: on disk"
    return [
        *weighed("above its base: to pull", "MB", lambda it: it.packed / MEGABYTE),
        *weighed(disk, "MB", lambda it: it.unpacked / MEGABYTE, limit=80),
    ]
