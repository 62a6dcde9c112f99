"""Pull, pin and remove images on this machine."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from trunkline.errors import FailedError
from trunkline.images.engine import docker
from trunkline.output import say
from trunkline.registry.client import Registry
from trunkline.registry.manifests import Manifest
from trunkline.registry.reference import ImageName

# Local tags PROJECT.DIGITS record which environment needs an image.
PINS = "trunkline-deploy"
DIGITS = 12
PAUSES = (1.0, 3.0, 10.0)
PULL_SECONDS = 1800.0
# An image on the disk is at most this many times its layers in the registry: those,
# compressed, and their content.
GROWTH = 5
MEGABYTE = 1024 * 1024
SPARE = 256 * MEGABYTE


class ImageStore:
    """The images of a registry repository that one environment uses."""

    def __init__(
        self,
        name: ImageName,
        connect: Callable[[], Registry],
        project: str,
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """`connect` does so as Docker: with the account of `docker login`."""
        self.name = name
        self.connect = connect
        self.project = project
        self.pause = pause

    def at(self, digest: str) -> str:
        """Return the full name of an image."""
        return self.name.at(digest)

    def pull(self, digest: str) -> None:
        """Pull and pin an image; asks no registry for one that is here."""
        shown = "--format={{.Os}}/{{.Architecture}}"
        inspect = ("image", "inspect", shown, self.at(digest))
        if not (found := docker(*inspect)).ok:
            with self.connect() as registry:
                require_room(_size(registry, digest), _free_bytes())
                self._pull(registry, digest)
            found = docker(*inspect).required()
        own = docker("version", "--format={{.Server.Os}}/{{.Server.Arch}}").text
        if found.text != own:
            raise FailedError(
                f"is built for {found.text}; expected {own}, as this machine"
            )
        docker("tag", self.at(digest), f"{PINS}:{self._pin(digest)}").required()

    def clean(self, needed: set[str]) -> None:
        """Remove the images that this environment pinned and no longer needs.

        An image that another environment pinned stays.
        """
        shown = "--format={{.Repository}} {{.Tag}} {{.Digest}}"
        said = docker("image", "ls", "--digests", shown).text.splitlines()
        rows = [line.split() for line in said]
        pins = {tag for name, tag, _ in rows if name == PINS}
        own = {pin for pin in pins if pin.startswith(f"{self.project}.")}
        old = own - {self._pin(digest) for digest in needed}
        gone = {pin.rpartition(".")[2] for pin in old}
        gone -= {pin.rpartition(".")[2] for pin in pins - old}
        images = {digest for *_, digest in rows if _digits(digest) in gone}
        if old:
            named = [f"{PINS}:{pin}" for pin in old]
            docker("image", "rm", *named, *(self.at(digest) for digest in images))

    def _pull(self, registry: Registry, digest: str) -> None:
        for pause in (*PAUSES, None):
            done = docker("pull", "--quiet", self.at(digest), timeout=PULL_SECONDS)
            if done.ok:
                return
            # The registry says what is transient; Docker's messages vary.
            if registry.digest(digest) is None:
                raise FailedError(f"cannot be pulled: {self.at(digest)} was deleted")
            if pause is None:
                raise FailedError(f"cannot be pulled: {done.complaint}")
            say(f"the pull failed ({done.complaint}); trying again in {pause:g} s")
            self.pause(pause)

    def _pin(self, digest: str) -> str:
        return f"{self.project}.{_digits(digest)}"


def require_room(image: int, free: int | None) -> None:
    """Raise FailedError if an image has no room; `free` is None if unknown. Pure."""
    needed = GROWTH * image + SPARE
    if free is not None and free < needed:
        raise FailedError(
            f"was not pulled: found {free // MEGABYTE} MB free where the engine keeps "
            f"its images, expected {needed // MEGABYTE} MB; docker system df shows more"
        )


def _digits(digest: str) -> str:
    return digest.removeprefix("sha256:")[:DIGITS]


def _size(registry: Registry, digest: str) -> int:
    """Return the bytes to pull; for an index, those of its largest image."""
    manifest = registry.manifest(digest)
    if manifest is None:
        raise FailedError(f"cannot be pulled: {registry.name.at(digest)} was deleted")
    if not manifest.is_index:
        return _layers(manifest)
    children = [registry.manifest(child) for child in manifest.children]
    return max((_layers(child) for child in children if child), default=0)


def _layers(manifest: Manifest) -> int:
    return sum(int(layer["size"]) for layer in manifest.document.get("layers", ()))


def _free_bytes() -> int | None:
    """Return the free bytes where Docker stores images; None on another machine."""
    root = docker("info", "--format={{.DockerRootDir}}").text
    try:
        room = os.statvfs(Path(root))
    except OSError:
        return None
    return room.f_bavail * room.f_frsize
