"""An image in a folder, before it is in any registry: blobs and one manifest."""

import hashlib
import json
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import IO, Any

from trunkline.errors import FailedError
from trunkline.images import layers
from trunkline.registry.manifests import OCI_MANIFEST, Manifest

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
ZSTD = b"\x28\xb5\x2f\xfd"
# layers.EPOCH, as an image's configuration writes it.
CONSTANT = "1980-01-01T00:00:00"

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
        return self.root / digest.replace(":", "-")

    def add(self, content: bytes, media_type: str) -> Document:
        """Store a blob and describe it."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.path(digest).write_bytes(content)
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def take(self, file: Path, media_type: str) -> Document:
        """Move a finished file here as a blob and describe it."""
        with file.open("rb") as content:
            digest = f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"
        size = file.stat().st_size
        file.rename(self.path(digest))
        return {"mediaType": media_type, "digest": digest, "size": size}

    def scratch(self) -> IO[bytes]:
        """Open a new file beside the blobs."""
        return tempfile.NamedTemporaryFile(dir=self.root, delete=False)


@dataclass(frozen=True, slots=True)
class Image:
    """One platform's image: its manifest, its configuration, and their blobs."""

    layout: Layout
    manifest: Manifest
    config: Document

    @property
    def platform(self) -> dict[str, str]:
        """What an index says of it."""
        names = ("architecture", "os", "variant")
        return {name: self.config[name] for name in names if name in self.config}


def read_archive(archive: Path, layout: Layout, *, cache: Path) -> Image:
    """Read what `docker save` or BuildKit's docker exporter wrote; pack its layers.

    Layers that come unpacked come from the engine's own store, and those of this
    build with the time at which it ran.
    """
    try:
        with tarfile.open(archive) as tar:
            (entry,) = json.load(_member(tar, "manifest.json"))
            config = json.load(_member(tar, entry["Config"]))
            own = own_layers(config)
            found = []
            for number, name in enumerate(entry["Layers"]):
                layer = _member(tar, name)
                diff_id, blob = _store(layer, layout, own=own[number], cache=cache)
                found.append(blob)
                if diff_id:
                    config["rootfs"]["diff_ids"][number] = diff_id
    except (tarfile.TarError, LookupError, ValueError, EOFError) as error:
        raise FailedError(f"the engine wrote no readable image: {error}") from error
    return _assemble(layout, config, found)


def own_layers(config: Mapping[str, Any]) -> list[bool]:
    """Tell for each layer whether this build made it, and not that of its base.

    Only the build's own steps carry the constant time.
    """
    number = len(config["rootfs"]["diff_ids"])
    steps = [step for step in config.get("history", []) if not step.get("empty_layer")]
    if len(steps) != number:
        return [True] * number
    return [str(step.get("created", "")).startswith(CONSTANT) for step in steps]


def write_archive(image: Image, name: str, archive: Path) -> None:
    """Write a file for `docker load`, which gives the image a name."""
    config, *found = image.manifest.blobs()
    entry = {"Config": config, "RepoTags": [name], "Layers": found}
    with tarfile.open(archive, "w") as tar:
        for digest in (config, *found):
            tar.add(image.layout.path(digest), digest)
        content = canonical([entry])
        member = tarfile.TarInfo("manifest.json")
        member.size = len(content)
        tar.addfile(member, BytesIO(content))


def _member(tar: tarfile.TarFile, name: str) -> BufferedReader:
    file = tar.extractfile(name)
    if not isinstance(file, BufferedReader):
        raise ValueError(f"{name} is no file")
    return file


def _store(
    layer: BufferedReader, layout: Layout, *, own: bool, cache: Path
) -> tuple[str | None, Document]:
    """Store one layer; returns the digest of its content, if that has changed."""
    magic = layer.read(len(ZSTD))
    layer.seek(0)
    diff_id = None
    with layout.scratch() as file:
        if magic.startswith(layers.GZIP) or magic == ZSTD:
            shutil.copyfileobj(layer, file, layers.CHUNK)
        elif own:
            diff_id = layers.compress(layers.with_constant_times(layer), file)
        else:
            with layers.compressed_before(layer, cache).open("rb") as packed:
                shutil.copyfileobj(packed, file, layers.CHUNK)
    kind = "zstd" if magic == ZSTD else "gzip"
    return diff_id, layout.take(Path(file.name), f"{LAYER}+{kind}")


def _assemble(layout: Layout, config: Document, found: list[Document]) -> Image:
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": layout.add(canonical(config), CONFIG),
        "layers": found,
    }
    return Image(layout, Manifest(canonical(manifest), OCI_MANIFEST), config)
