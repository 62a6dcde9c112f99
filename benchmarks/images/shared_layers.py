"""Steps of the image that a runner has to build, with the shared layers and without."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from builders import REPORTED, built_steps, forget_step
from registries import running_registry
from trunkline import process
from trunkline.images.docker_commands import begin_build, build_command, cache_command
from trunkline.images.engine import BUILD_TIMEOUT, writes_archives
from trunkline.images.labels import Source
from trunkline.images.layer_cache import LayerCache
from trunkline.settings import Settings, read_settings

import containers as docker

from benchmarks.harness.benchmark import BenchmarkError, Comparison, UnavailableError
from benchmarks.images import layers

PLATFORM = "linux/amd64"
BASE = "FROM ${PYTHON_IMAGE} AS base\n"
CHANGES: dict[str, Callable[[Path], None]] = {
    "code change": layers.change_code,
    "version bump": layers.bump_version,
    "no change of the image": lambda _: None,
}
CHANGED = (str(layers.CODE), "pyproject.toml", "uv.lock")


@dataclass(frozen=True, kw_only=True)
class Runner:
    """A machine that builds the project and has built nothing before."""

    project: Path
    settings: Settings
    # Stands in the first step, and so in what no builder has built.
    mark: str
    # Where the layers of the trunk are, in the words of `docker build`.
    cache: str

    def steps(self, *, cache: str = "", written: str = "") -> int:
        """Build and count the steps that were run; maybe write the layers."""
        forget_step(self.mark)
        source = Source("", "", "", "", "", "", "", "", "", "")
        begin = begin_build(source, self.settings, docker.base_images())
        with TemporaryDirectory(prefix="benchmark-") as folder:
            command = build_command(
                begin,
                Path(folder, "image.tar"),
                name="benchmark",
                platform=PLATFORM,
                cache=cache,
            )
            found = len(built_steps(self._run(command)))
        if written:
            self._run(
                cache_command(begin, platform=PLATFORM, read=cache, written=written)
            )
        return found

    def _run(self, command: tuple[str, ...]) -> str:
        env = docker.base_images() | REPORTED
        done = process.run(command, cwd=self.project, env=env, timeout=BUILD_TIMEOUT)
        if not done.ok:
            raise BenchmarkError(done.complaint[-500:])
        return done.complaint


def steps(_: int) -> list[Comparison]:
    """Count the steps that each change costs, once the trunk was built elsewhere."""
    with _first() as trunk:
        trunk.steps(written=trunk.cache)
        before = {name: (trunk.project / name).read_bytes() for name in CHANGED}
        found = []
        for what, change in CHANGES.items():
            # Never the same twice: of what it has built, a builder keeps the keys.
            change(trunk.project)
            cold = trunk.steps()
            change(trunk.project)
            warm = trunk.steps(cache=trunk.cache)
            for name, content in before.items():
                (trunk.project / name).write_bytes(content)
            peer = "without shared layers"
            found.append(
                Comparison(
                    what=f"{what}: steps", unit="", peer=peer, ours=warm, theirs=cold
                )
            )
        return found


@contextmanager
def _first() -> Iterator[Runner]:
    """Yield the runner of the trunk; raises UnavailableError."""
    with (
        layers.building() as (_, project),
        TemporaryDirectory(prefix="benchmark-") as folder,
        running_registry(Path(folder)) as server,
        server.connect() as registry,
    ):
        store = docker.run("info", "--format={{json .DriverStatus}}").stdout
        if not writes_archives("", store):
            raise UnavailableError("needs an engine with containerd's image store")
        mark, settings = secrets.token_hex(8), read_settings(project / "pyproject.toml")
        layers.replace(project / "Dockerfile", BASE, f"{BASE}RUN echo {mark} > /mark\n")
        cache = LayerCache(registry, settings, writes=True).place(PLATFORM)
        runner = Runner(project=project, settings=settings, mark=mark, cache=cache)
        try:
            yield runner
        finally:
            forget_step(mark)
