"""The container engine of this machine, the only place that talks to it."""

import os
import re
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from trunkline import process
from trunkline.errors import FailedError, Refusal
from trunkline.images.docker_commands import (
    DOCKER,
    build_command,
    cache_command,
    run_command,
)
from trunkline.output import say
from trunkline.process import Completed, ProcessError
from trunkline.settings import Settings

# Seconds for a build and for everything else, such as the end of a container that
# ignores SIGTERM: longer than any stop_grace_period.
BUILD_TIMEOUT = 3600
TIMEOUT = 300
PREFIX = "trunkline-image"
LOG_LINES = 30


class Engine:
    """The engine, and the names that this process uses there."""

    def __init__(self) -> None:
        self.container = f"{PREFIX}-{process_mark()}"
        self.image = f"{PREFIX}:{process_mark()}"

    @classmethod
    def connect(cls, platforms: Iterable[str] = ()) -> "Engine":
        """Find the engine; raises Refusal without it or a builder for the platforms."""
        try:
            version = docker("version", "--format={{.Server.Version}}")
        except ProcessError as error:
            raise _absent(str(error)) from error
        if not version.ok:
            raise _absent(_first_line(version.complaint))
        builder = docker("buildx", "inspect")
        if not builder.ok:
            raise Refusal(
                rule="engine",
                found=f"docker without a builder: {_first_line(builder.complaint)}",
                expected="docker buildx",
                fix="sudo apt-get install docker-buildx-plugin  (or docker-buildx)",
            )
        store = docker("info", "--format={{json .DriverStatus}}")
        if not writes_archives(builder.text, store.text):
            raise Refusal(
                rule="builder",
                found="a builder with the driver `docker`, in an engine without "
                "containerd's image store; it cannot build an image reproducibly",
                expected="a builder with the driver `docker-container`, or an engine "
                "with containerd's image store",
                fix="docker buildx create --use",
            )
        require_platforms(builder.text, platforms)
        engine = cls()
        engine.remove_abandoned()
        return engine

    def build(
        self,
        begin: Sequence[str],
        folder: Path,
        archive: Path,
        platform: str,
        cache: str = "",
    ) -> str:
        """Build `folder` into an archive, and return the cache that it was built with.

        A layer that the cache lists and cannot deliver makes a build fail, so it is
        repeated without. The builder's output goes to the terminal.
        """
        command = build_command(
            begin, archive, name=self.image, platform=platform, cache=cache
        )
        done = process.run(command, cwd=folder, timeout=BUILD_TIMEOUT, capture=False)
        if not done.ok and cache:
            say("  cache    not read: the build failed with it, now without")
            return self.build(begin, folder, archive, platform)
        if not done.ok:
            raise FailedError(
                "the image could not be built: `docker buildx build` failed with exit "
                f"code {done.code}; the reason is in its output above"
            )
        return cache

    def keep_layers(
        self,
        begin: Sequence[str],
        folder: Path,
        read: Mapping[str, str],
        place: Callable[[str], str],
    ) -> None:
        """Store what was just built in each platform's cache, or say that it failed.

        `read` has the platforms, each with the cache that it was built with.
        """
        for platform, cache in read.items():
            command = cache_command(
                begin, platform=platform, read=cache, written=place(platform)
            )
            try:
                done = process.run(command, cwd=folder, timeout=TIMEOUT, capture=False)
            except ProcessError as error:
                say(f"  cache    not written: {error}")
            else:
                say(f"  cache    {'written' if done.ok else 'not written: see above'}")

    def has(self, image: str) -> bool:
        """Whether the engine has an image of this name."""
        return docker("image", "inspect", "--format={{.Id}}", image).ok

    def load(self, archive: Path) -> None:
        """Load an archive that `build` wrote."""
        docker("image", "load", "--quiet", f"--input={archive}").required()

    def start(self, port: int, settings: Settings, platform: str) -> Completed:
        """Start the loaded image; `port` is the one that it listens on."""
        command = run_command(
            self.image, settings, name=self.container, port=port, platform=platform
        )
        return process.run(command, timeout=TIMEOUT)

    def published_port(self, port: int) -> int | None:
        """Return the port of this machine that leads to a port of the container."""
        answer = docker("port", self.container, f"{port}/tcp")
        if not answer.ok or ":" not in answer.text:
            return None
        return int(answer.text.splitlines()[0].rpartition(":")[2])

    def execute(self, words: Iterable[str]) -> Completed:
        """Run a command in the started container."""
        return docker("exec", self.container, *words)

    def state(self) -> str:
        """Return the state of the started container, such as "running"."""
        return docker("inspect", "--format={{.State.Status}}", self.container).text

    def logs(self) -> str:
        """Return the last lines that the started container printed."""
        return everything(docker("logs", f"--tail={LOG_LINES}", self.container))

    def clean(self) -> None:
        """Remove this process's container and image, if they exist."""
        docker("container", "rm", "--force", "--volumes", self.container)
        docker("image", "rm", "--force", self.image)

    def remove_abandoned(self) -> None:
        """Remove what killed runs on this machine have left; other names are in use."""
        found = docker("ps", "--all", f"--filter=name={PREFIX}-", "--format={{.Names}}")
        for name in abandoned(found.text.splitlines()):
            docker("container", "rm", "--force", "--volumes", name)
        found = docker("image", "ls", "--format={{.Tag}}", PREFIX)
        for tag in abandoned(found.text.splitlines()):
            docker("image", "rm", "--force", f"{PREFIX}:{tag}")


def everything(done: Completed) -> str:
    """Return both outputs of a command: Docker reports some errors on either."""
    return (done.stdout + done.stderr).decode("utf-8", "replace").strip()


def docker(
    *words: str, env: Mapping[str, str | None] | None = None, timeout: float = TIMEOUT
) -> Completed:
    """Run docker; a failure is an answer, too."""
    return process.run([DOCKER, *words], env=env, timeout=timeout)


def _absent(found: str) -> Refusal:
    return Refusal(
        rule="engine",
        found=f"no container engine: {found}",
        expected="docker, running, to build an image that is in no registry yet",
        fix="docker version  (start Docker or set DOCKER_HOST, then try again)",
    )


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else "no answer"


def writes_archives(builder: str, driver_status: str) -> bool:
    """Whether `docker buildx build` can write an archive with constant timestamps.

    Every builder outside the engine can; the engine's own one can if containerd stores
    its images. The arguments are the output of `buildx inspect` and of `info`.
    """
    driver = re.search(r"^Driver:\s*(\S+)", builder, re.MULTILINE)
    separate = driver is not None and driver[1] != "docker"
    return separate or "io.containerd.snapshotter" in driver_status


def require_platforms(builder: str, wanted: Iterable[str]) -> None:
    """Refuse a platform that the builder can neither run nor emulate.

    `builder` is the output of `buildx inspect`; a builder that was never started does
    not name its platforms.
    """
    line = re.search(r"^Platforms:\s*(.+)", builder, re.MULTILINE)
    able = re.findall(r"[\w/]+", line[1]) if line else wanted
    if missing := [platform for platform in wanted if platform not in able]:
        raise Refusal(
            rule="platform",
            found=f"a builder for {', '.join(able)}, without emulation of "
            f"{', '.join(missing)}",
            expected="one that runs what it builds for [tool.trunkline] platforms",
            fix="docker run --privileged --rm tonistiigi/binfmt --install "
            + ",".join(platform.split("/")[1] for platform in missing),
        )


def process_mark() -> str:
    """Return what tells this process from every other one that uses the engine."""
    return f"{_host()}-{os.getpid()}"


def _host() -> str:
    return re.sub(r"[^a-z0-9]+", "", socket.gethostname().lower())[:24] or "host"


def abandoned(names: Iterable[str]) -> list[str]:
    """Return the names whose process on this machine no longer exists."""
    found = []
    for name in names:
        host, _, pid = name.removeprefix(f"{PREFIX}-").rpartition("-")
        if host == _host() and pid.isdigit():
            try:
                with suppress(PermissionError):  # It is another user's.
                    os.kill(int(pid), 0)
            except ProcessLookupError:
                found.append(name)
    return found
