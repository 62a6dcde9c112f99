"""Images as a builder writes them, made without one."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

from trunkline.images.docker_commands import EPOCH
from trunkline.images.labels import Source
from trunkline.images.layout import BuiltImage, unpack_image
from trunkline.registry.manifests import OCI_CONFIG, OCI_MANIFEST

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SOURCE = Source(
    commit=COMMIT,
    created="2026-01-02T03:04:05Z",
    subject="feat: serve",
    author="Dev",
    branch="main",
    version="1.2.0",
    title="my-app",
    url="https://example.com/acme/my-app",
    flags="{}",
    migrations="[]",
)
LAYER = "application/vnd.oci.image.layer.v1.tar"


def tar_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), EPOCH
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def built(folder: Path, *layers: bytes, architecture: str = "amd64") -> Path:
    """Write what BuildKit writes of an image with these layers."""
    blobs: dict[str, bytes] = {}

    def add(content: bytes, media_type: str) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = content
        size = len(content)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": size}

    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {"ExposedPorts": {"8000/tcp": {}}},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:0"] * len(layers)},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": add(json.dumps(config).encode(), OCI_CONFIG),
        "layers": [add(layer, LAYER) for layer in layers],
    }
    index = {"manifests": [add(json.dumps(manifest).encode(), OCI_MANIFEST)]}
    archive = folder / "built.tar"
    archive.write_bytes(tar_of({**blobs, "index.json": json.dumps(index).encode()}))
    return archive


def built_image(
    folder: Path, *layers: bytes, architecture: str = "amd64"
) -> BuiltImage:
    archive = built(folder, *layers, architecture=architecture)
    return unpack_image(archive, folder / architecture)
