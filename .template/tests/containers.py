"""The container engine of this machine: builds, what is in them, and containers."""

import gzip
import json
import os
import re
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.servers import PATIENCE, ROOT

# One constant for every commit: 1980-01-01, the first moment that a wheel can name.
EPOCH = 315_532_800
BUILD_SECONDS = 1200
ANY = range(256)


def absent() -> str:
    """Explain why images cannot be built here; empty if they can."""
    if shutil.which("docker") is None:
        return "found no docker on the PATH"
    answer = run("version", "--format={{.Server.Version}}", accepted=ANY)
    if answer.returncode:
        return f"docker says: {answer.stderr.strip()}"
    if run("buildx", "version", accepted=ANY).returncode:
        return "docker has no buildx; install the package docker-buildx-plugin"
    return ""


def run(
    *arguments: str, accepted: Sequence[int] = (0,), seconds: int = BUILD_SECONDS
) -> subprocess.CompletedProcess[str]:
    """Run docker, whose exit code has to be one of the `accepted`."""
    done = subprocess.run(
        ["docker", *arguments],  # noqa: S607 - the one on the PATH
        check=False,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    said = f"docker {' '.join(arguments)}: {done.stdout}{done.stderr}"
    assert done.returncode in accepted, said
    return done


def base_images() -> dict[str, str]:
    """Return the build's arguments for its base images by tag, without their digests.

    A machine without a network has images that somebody loaded, and no public digest.
    """
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    pinned = re.findall(r"^FROM (\S+)@sha256:\w+ AS pinned-(\w+)$", text, re.MULTILINE)
    names = {f"{name.upper()}_IMAGE": image for image, name in pinned}
    return {name: os.environ.get(name) or image for name, image in names.items()}


def base_image() -> str:
    """Return the image that the service's is made of, where no other is asked for."""
    return base_images()["PYTHON_IMAGE"]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer: the digest of what it holds, its files, and its bytes."""

    digest: str
    names: tuple[str, ...]
    size: int
    packed: int


@dataclass(frozen=True)
class Image:
    """An image that the engine holds, under the name that this run gave it."""

    name: str

    def inspect(self) -> dict[str, Any]:
        """Return what the engine knows of it."""
        (found,) = json.loads(run("image", "inspect", self.name).stdout)
        assert isinstance(found, dict)
        return found

    @property
    def identity(self) -> str:
        """The digest of its configuration, which names every layer by its content."""
        return str(self.inspect()["Id"])

    @property
    def layers(self) -> list[str]:
        """The digests of its layers' contents, those of its base first."""
        return list(self.inspect()["RootFS"]["Layers"])

    def contents(self, folder: Path, digests: set[str]) -> list[Layer]:
        """Read the layers with these digests out of an archive of the image."""
        archive = folder / f"{uuid4().hex}.tar"
        run("image", "save", f"--output={archive}", self.name)
        with tarfile.open(archive) as tar:
            manifest = read(tar, "manifest.json")
            (entry,) = json.loads(manifest)
            found = zip(self.layers, entry["Layers"], strict=True)
            layers = [
                layer(digest, read(tar, name))
                for digest, name in found
                if digest in digests
            ]
        archive.unlink()
        return layers

    def run(
        self, *command: str, options: tuple[str, ...] = (), accepted: int = 0
    ) -> str:
        """Run a command in a new container; return what it printed."""
        done = run("run", "--rm", *options, self.name, *command, accepted=(accepted,))
        return done.stdout + done.stderr


def read(tar: tarfile.TarFile, name: str) -> bytes:
    """Return a file of an archive."""
    content = tar.extractfile(name)
    assert content is not None
    return content.read()


def layer(digest: str, content: bytes) -> Layer:
    """Describe a layer; some engines store it packed."""
    unpacked = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    with tarfile.open(fileobj=BytesIO(unpacked)) as tar:
        names = tuple(tar.getnames())
    packed = len(gzip.compress(unpacked))
    return Layer(digest=digest, names=names, size=len(unpacked), packed=packed)


@dataclass
class Engine:
    """Builds images and removes those that it built."""

    built: list[str] = field(default_factory=list)

    def build(
        self,
        folder: Path,
        *options: str,
        file: str = "Dockerfile",
        target: str = "",
        cached: bool = True,
        **arguments: str,
    ) -> Image:
        """Build a folder; arguments are those of the build."""
        name = f"test-{uuid4().hex}"
        self.built.append(name)
        pairs = {"SOURCE_DATE_EPOCH": str(EPOCH)} | base_images() | arguments
        run(
            *("build", "--progress=plain", "--provenance=false", f"--tag={name}"),
            f"--file={folder / file}",
            *(f"--build-arg={key}={value}" for key, value in pairs.items()),
            *(("--no-cache",) if not cached else ()),
            *((f"--target={target}",) if target else ()),
            *options,
            str(folder),
        )
        return Image(name)

    def remove_images(self) -> None:
        """Remove every image that was built here."""
        if self.built:
            run("image", "rm", "--force", *self.built, accepted=(0, 1))


class Container:
    """A running container of the service."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def port(self) -> int:
        """The port of this machine that leads to the service."""
        address = run("port", self.name, "8000").stdout.splitlines()[0]
        return int(address.rpartition(":")[2])

    def state(self) -> dict[str, Any]:
        """Return what the engine says of its process and its health."""
        (found,) = json.loads(run("inspect", self.name).stdout)
        return dict(found["State"])

    def logs(self) -> str:
        """Return all that it has written."""
        done = run("logs", self.name)
        return done.stdout + done.stderr

    def wait_for_log(self, text: str) -> None:
        """Wait until it has written `text`.

        Raises:
            AssertionError: it ended before, or never wrote it.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            ended = self.state()["Status"] == "exited"
            if text in self.logs():
                return
            assert not ended, self.logs()
            time.sleep(0.05)
        raise AssertionError(f"never wrote {text!r}: {self.logs()}")

    def wait_for_health(self, *statuses: str) -> str:
        """Wait until the health check has one of these statuses; return it."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            status = str(self.state()["Health"]["Status"])
            if status in statuses:
                return status
            time.sleep(0.05)
        raise AssertionError(f"health is {status}: {self.state()['Health']}")


@contextmanager
def running(
    image: Image, *options: str, variables: Mapping[str, str] | None = None
) -> Iterator[Container]:
    """Serve from an image as in staging, and remove the container at the end."""
    name = f"test-{uuid4().hex}"
    environment = {"APP_ENVIRONMENT": "staging"} | dict(variables or {})
    run(
        *("run", "--detach", f"--name={name}", "--publish=127.0.0.1::8000"),
        *(f"--env={key}={value}" for key, value in environment.items()),
        *options,
        image.name,
    )
    try:
        container = Container(name)
        container.wait_for_log("Uvicorn running on")
        container.wait_for_log("Application startup complete")
        yield container
    finally:
        run("container", "rm", "--force", "--volumes", name)
