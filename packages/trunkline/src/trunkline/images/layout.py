"""An image in a folder, before it is in any registry: an OCI image layout."""

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

from trunkline.errors import FailedError
from trunkline.registry.manifests import Document, Manifest, canonical, descriptor


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """The image of one platform, in a folder of blobs."""

    root: Path
    manifest: Manifest
    config: Document

    def path(self, digest: str) -> Path:
        """Return where a blob is."""
        return blob_path(self.root, digest)

    def add(self, content: bytes, media_type: str) -> Document:
        """Store a blob and return its descriptor."""
        found = descriptor(content, media_type)
        self.path(found["digest"]).write_bytes(content)
        return found

    def dated(self, created: str) -> "BuiltImage":
        """Return the image with the date of its commit, and the same layers.

        The builder's is the constant of every build: `docker image prune --filter
        until=24h` would take an image for decades old.
        """
        config = self.config | {"created": created}
        document = self.manifest.document
        described = self.add(canonical(config), document["config"]["mediaType"])
        content = canonical(document | {"config": described})
        self.add(content, self.manifest.media_type)
        manifest = Manifest(content, self.manifest.media_type)
        return BuiltImage(self.root, manifest, config)

    @property
    def platform(self) -> dict[str, str]:
        """Return the platform as an index describes it."""
        names = ("architecture", "os", "variant")
        return {name: self.config[name] for name in names if name in self.config}

    @property
    def platform_name(self) -> str:
        """Return the platform in the words of `docker build --platform`."""
        return f"{self.platform['os']}/{self.platform['architecture']}"


def blob_path(root: Path, digest: str) -> Path:
    """Return where a layout has a blob, which is named by its digest."""
    return root / "blobs" / digest.replace(":", "/")


def unpack_image(archive: Path, root: Path) -> BuiltImage:
    """Unpack what BuildKit wrote; its bytes are the ones that will be pushed."""
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(root, filter="data")
        (found,) = json.loads((root / "index.json").read_bytes())["manifests"]
        content = blob_path(root, found["digest"]).read_bytes()
        manifest = Manifest(content, found["mediaType"])
        config = json.loads(blob_path(root, next(manifest.blobs())).read_bytes())
    except OSError as error:
        raise FailedError(f"the image cannot be unpacked: {error}") from error
    except (tarfile.TarError, LookupError, ValueError) as error:
        raise FailedError(f"the builder wrote no readable image: {error}") from error
    return BuiltImage(root, manifest, config)
