"""Images as an engine writes them, made without one."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

from trunkline.images.labels import Source
from trunkline.images.layers import EPOCH
from trunkline.images.layout import CONSTANT, Image, Layout, read_archive

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
BASE = {"created": "2026-08-01T00:00:00Z"}
STEP = {"created": f"{CONSTANT}Z"}
SETTING = {**STEP, "empty_layer": True}


def tar_of(files: dict[str, bytes], *, mtime: int = EPOCH + 99) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), mtime
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def saved(folder: Path, *layers: bytes, history: list[dict[str, Any]]) -> Path:
    """Write what `docker save` writes of an image with these layers."""
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"ExposedPorts": {"8000/tcp": {}}},
        "history": history,
        "rootfs": {"type": "layers", "diff_ids": ["sha256:0"] * len(layers)},
    }
    names = [f"blobs/{number}" for number in range(len(layers))]
    entry = {"Config": "config", "RepoTags": ["x:1"], "Layers": names}
    files = {
        "config": json.dumps(config).encode(),
        **dict(zip(names, layers, strict=True)),
    }
    archive = folder / "saved.tar"
    archive.write_bytes(
        tar_of({"manifest.json": json.dumps([entry]).encode(), **files})
    )
    return archive


def read(folder: Path, archive: Path) -> Image:
    root = folder / "blobs"
    root.mkdir(exist_ok=True)
    return read_archive(archive, Layout(root), cache=folder / "cache")
