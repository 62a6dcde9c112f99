"""The image, beside the same service in two other shapes: builds, layers and sizes."""

import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from itertools import count
from pathlib import Path
from time import perf_counter, time_ns

from benchmarks import checkouts, processes
from benchmarks.benchmark import BenchmarkError, Comparison, UnavailableError
from benchmarks.samples import compared, interleaved
from tests.images import engine as docker
from tests.images.engine import Engine, Image, base_image

CODE = Path("src/my_app/config.py")
KILOBYTE, MEGABYTE = 1_000, 1_000_000
# No two builds of this run, or of an earlier one, are of the same bytes.
serial = count(time_ns() // 1_000_000_000)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A Dockerfile, and its stage that installs dependencies."""

    name: str
    file: str
    installs: str


OURS = Shape(name="ours", file="Dockerfile", installs="deps")
PEERS = (
    Shape(name="uv example", file="benchmarks/peers/uv.Dockerfile", installs="builder"),
    Shape(name="pip install", file="benchmarks/peers/pip.Dockerfile", installs=""),
)


@contextmanager
def building() -> Iterator[tuple[Engine, Path]]:
    """Give the engine and a copy of the project; remove the images at the end.

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
    """Replace text that a file must have."""
    text = file.read_text(encoding="utf-8")
    if old not in text:
        raise BenchmarkError(f"{file.name} has no {old!r}")
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def builds(rounds: int) -> list[Comparison]:
    """Build after each kind of change, each shape in turn."""
    found: list[Comparison] = []
    with building() as (engine, project):
        kinds: dict[str, Callable[[Shape], float]] = {
            "cold": lambda shape: seconds(engine, project, shape, cached=False),
            "no change": partial(seconds, engine, project),
            "code change": partial(seconds, engine, project, change=change_code),
            "version bump": partial(seconds, engine, project, change=bump_version),
        }
        for kind, measure in kinds.items():
            found += in_turns(f"{kind}, build", rounds, measure)
        command = (processes.uv(), "add", "--quiet", "--no-sync", "colorama")
        processes.run(command, cwd=project)
        found += in_turns(
            "new dependency, build",
            rounds,
            lambda shape: seconds(
                engine,
                project,
                shape,
                *((f"--no-cache-filter={shape.installs}",) if shape.installs else ()),
                change=change_code,
            ),
        )
    return found


def in_turns(
    what: str, rounds: int, measure: Callable[[Shape], float]
) -> list[Comparison]:
    """Measure every shape in turn, and compare ours with each other."""
    shapes = {shape.name: partial(measure, shape) for shape in (OURS, *PEERS)}
    samples = interleaved(rounds, shapes)
    return [
        compared(
            what,
            "s",
            peer=peer.name,
            ours=samples[OURS.name],
            theirs=samples[peer.name],
        )
        for peer in PEERS
    ]


def seconds(
    engine: Engine,
    project: Path,
    shape: Shape,
    *options: str,
    change: Callable[[Path], None] | None = None,
    cached: bool = True,
) -> float:
    """Return the wall time of a build, after a change where there is one."""
    if change:
        change(project)
    begun = perf_counter()
    engine.build(project, *options, file=shape.file, cached=cached)
    return perf_counter() - begun


@dataclass(frozen=True, kw_only=True)
class Weight:
    """Layers that a change brings, or that an image has beyond its base."""

    layers: int
    packed: int
    unpacked: int


@cache
def weights() -> dict[str, dict[str, Weight]]:
    """Weigh each shape whole and after each change, always built by a cold builder."""
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
    """Weigh what somebody who has `before` pulls to get `after`."""
    layers = after.contents(folder, set(after.layers) - set(before.layers))
    return Weight(
        layers=len(layers),
        packed=sum(layer.packed for layer in layers),
        unpacked=sum(layer.size for layer in layers),
    )


def weighed(
    what: str, unit: str, figure: Callable[[Weight], float], *, bounded: bool = True
) -> list[Comparison]:
    """Compare ours with each peer; `what` begins with the change."""
    found = weights()
    kind = what.partition(":")[0]
    return [
        Comparison(
            what=what,
            unit=unit,
            peer=peer.name,
            ours=figure(found[OURS.name][kind]),
            theirs=figure(found[peer.name][kind]),
            bounded=bounded and peer is PEERS[0],
        )
        for peer in PEERS
    ]


def layers(_: int) -> list[Comparison]:
    """Count the layers that are new after a change, for a cold builder."""
    return [
        *weighed("code change: new layers", "", lambda it: it.layers),
        *weighed("version bump: new layers", "", lambda it: it.layers),
    ]


def transfer(_: int) -> list[Comparison]:
    """Weigh what is pushed and pulled after a change, for a cold builder."""
    return [
        *weighed("code change: to pull", "kB", lambda it: it.packed / KILOBYTE),
        *weighed("version bump: to pull", "kB", lambda it: it.packed / KILOBYTE),
    ]


def size(_: int) -> list[Comparison]:
    """Weigh the image beyond its base."""
    disk = "above its base: on disk"
    return [
        *weighed("above its base: to pull", "MB", lambda it: it.packed / MEGABYTE),
        *weighed(disk, "MB", lambda it: it.unpacked / MEGABYTE, bounded=False),
    ]
