"""An image in a folder, before it is in any registry: an OCI image layout."""

import hashlib
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trunkline.errors import FailedError
from trunkline.registry.manifests import Manifest

type Document = dict[str, Any]


def canonical(document: Any) -> bytes:  # noqa: ANN401 - whatever JSON can hold
    """Write JSON that is the same for the same content."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Layout:
    """A folder of blobs, each named by its digest."""

    root: Path

    def path(self, digest: str) -> Path:
        """Return where a blob is."""
        return self.root / "blobs" / digest.replace(":", "/")

    def add(self, content: bytes, media_type: str) -> Document:
        """Store a blob and return its descriptor."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.path(digest).write_bytes(content)
        return {"mediaType": media_type, "digest": digest, "size": len(content)}


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """The image of one platform: its manifest, its configuration, and their blobs."""

    layout: Layout
    manifest: Manifest
    config: Document

    @property
    def platform(self) -> dict[str, str]:
        """Return the platform as an index describes it."""
        names = ("architecture", "os", "variant")
        return {name: self.config[name] for name in names if name in self.config}


def unpack_image(archive: Path, root: Path) -> BuiltImage:
    """Unpack what BuildKit wrote; its bytes are the ones that will be pushed."""
    layout = Layout(root)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(root, filter="data")
        (found,) = json.loads((root / "index.json").read_bytes())["manifests"]
        content = layout.path(found["digest"]).read_bytes()
        manifest = Manifest(content, found["mediaType"])
        config = json.loads(layout.path(next(manifest.blobs())).read_bytes())
    except OSError as error:
        raise FailedError(f"the image cannot be unpacked: {error}") from error
    except (tarfile.TarError, LookupError, ValueError) as error:
        raise FailedError(f"the builder wrote no readable image: {error}") from error
    return BuiltImage(layout, manifest, config)
