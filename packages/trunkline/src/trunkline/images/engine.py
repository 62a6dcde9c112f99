"""Docker: what is asked of it, as argument lists, and the few answers that count.

Builders of argument lists are pure. Values of secrets are in none of them: Docker
takes those from the environment or from files itself.
"""

import os
import re
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trunkline import process
from trunkline.errors import FailedError, Refusal
from trunkline.images.layers import EPOCH
from trunkline.process import Completed, ProcessError

DOCKER = "docker"
# Seconds for a build and for everything else.
BUILD_TIME = 3600
TIME = 300
PREFIX = "trunkline-image"


@dataclass(frozen=True, slots=True)
class Build:
    """What goes into a build, besides the folder."""

    dockerfile: str
    platform: str
    arguments: Mapping[str, str]
    labels: Mapping[str, str]
    # Names of variables that are handed on as arguments; secrets by their id, each a
    # variable or a file.
    passed_on: Sequence[str] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)


def build_command(build: Build, output: str) -> tuple[str, ...]:
    """Build the present folder. Provenance would bring the time of the build."""
    pairs = {"SOURCE_DATE_EPOCH": str(EPOCH), **build.arguments}
    options = [f"--build-arg={name}={value}" for name, value in pairs.items()]
    options += [f"--build-arg={name}" for name in build.passed_on]
    options += [f"--label={name}={value}" for name, value in build.labels.items()]
    options += [f"--secret=id={name},env={key}" for name, key in build.secrets.items()]
    options += [f"--secret=id={name},src={path}" for name, path in build.files.items()]
    return (
        DOCKER,
        "buildx",
        "build",
        f"--platform={build.platform}",
        f"--file={build.dockerfile}",
        "--provenance=false",
        "--sbom=false",
        *options,
        f"--output={output}",
        ".",
    )


def to_archive(archive: Path) -> str:
    """Name an archive as the output, for builders that can write one."""
    return f"type=docker,dest={archive},rewrite-timestamp=true"


def to_store(name: str) -> str:
    """Name an image in the engine's own store as the output."""
    return f"type=image,name={name}"


def run_command(
    image: str, *, name: str, port: int, platform: str, environment: Mapping[str, str]
) -> tuple[str, ...]:
    """Start an image with as few rights as production gives it, at any free port."""
    return (
        DOCKER,
        "run",
        "--detach",
        f"--name={name}",
        f"--platform={platform}",
        "--pull=never",
        "--read-only",
        "--tmpfs=/tmp",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        f"--publish=127.0.0.1::{port}",
        *(f"--env={key}={value}" for key, value in environment.items()),
        image,
    )


class Engine:
    """The engine of this machine, and the names that this process gives there."""

    def __init__(self, *, writes_archives: bool) -> None:
        self.writes_archives = writes_archives
        self.name = f"{PREFIX}-{own_mark()}"
        self.image = f"{PREFIX}:{own_mark()}"

    @classmethod
    def connect(cls) -> "Engine":
        """Look for the engine; raises Refusal where it, or its builder, is missing."""
        version = _ask("version", "--format={{.Server.Version}}")
        if not version.ok:
            raise _absent(_first_line(version.complaint))
        builder = _ask("buildx", "inspect")
        if not builder.ok:
            raise Refusal(
                rule="engine",
                found=f"docker without a builder: {_first_line(builder.complaint)}",
                expected="docker buildx",
                fix="install the package docker-buildx-plugin (Debian: docker-buildx)",
            )
        store = _ask("info", "--format={{json .DriverStatus}}")
        engine = cls(writes_archives=can_write_archives(builder.text, store.text))
        engine.remove_left_over()
        return engine

    def build(self, build: Build, folder: Path, archive: Path) -> None:
        """Build `folder` into an archive; the builder's own words go to the terminal.

        The store of an engine without containerd can only be asked for the finished
        image, with the times of this build in it.
        """
        output = to_archive(archive) if self.writes_archives else to_store(self.image)
        done = process.run(
            build_command(build, output),
            cwd=folder,
            timeout=BUILD_TIME,
            capture=False,
        )
        if not done.ok:
            raise FailedError(
                f"the image could not be built: exit code {done.code} of "
                "`docker buildx build`, which says above what failed"
            )
        if not self.writes_archives:
            try:
                docker("image", "save", f"--output={archive}", self.image)
            finally:
                self.clean()

    def load(self, archive: Path) -> None:
        """Take an archive that names the image as this engine does."""
        docker("image", "load", "--quiet", f"--input={archive}")

    def clean(self) -> None:
        """Remove this process's container and image, if they are there."""
        _ask("container", "rm", "--force", "--volumes", self.name)
        _ask("image", "rm", "--force", self.image)

    def remove_left_over(self) -> None:
        """Remove what killed runs on this machine have left; the rest is in use."""
        found = _ask("ps", "--all", f"--filter=name={PREFIX}-", "--format={{.Names}}")
        for name in left_over(found.text.splitlines()):
            _ask("container", "rm", "--force", "--volumes", name)
        found = _ask("image", "ls", "--format={{.Tag}}", PREFIX)
        for tag in left_over(found.text.splitlines()):
            _ask("image", "rm", "--force", f"{PREFIX}:{tag}")


def docker(*arguments: str) -> Completed:
    """Run docker, which must succeed, and capture what it prints."""
    return process.run([DOCKER, *arguments], timeout=TIME, check=True)


def _ask(*arguments: str) -> Completed:
    """Run docker, whose failure is an answer, too."""
    try:
        return process.run([DOCKER, *arguments], timeout=TIME)
    except ProcessError as error:
        raise _absent(str(error)) from error


def _absent(found: str) -> Refusal:
    return Refusal(
        rule="engine",
        found=f"no container engine: {found}",
        expected="docker, running, to build an image that is in no registry yet",
        fix="docker version  (start Docker, or set DOCKER_HOST; then the same again)",
    )


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else "no answer"


def can_write_archives(builder: str, driver_status: str) -> bool:
    """Whether `docker buildx build` can write an archive with its times set back.

    Every builder of its own can, and the engine's can if containerd keeps its images.
    """
    driver = re.search(r"^Driver:\s*(\S+)", builder, re.MULTILINE)
    own = driver is not None and driver[1] != "docker"
    return own or "io.containerd.snapshotter" in driver_status


def own_mark() -> str:
    """Return what tells this process from every other that uses the engine."""
    return f"{_host()}-{os.getpid()}"


def _host() -> str:
    return re.sub(r"[^a-z0-9]+", "", socket.gethostname().lower())[:24] or "host"


def left_over(names: Iterable[str]) -> list[str]:
    """Choose the names whose process on this machine is gone."""
    return [name for name in names if _left_over(name)]


def _left_over(name: str) -> bool:
    host, _, pid = name.removeprefix(f"{PREFIX}-").rpartition("-")
    if host != _host() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
