import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from trunkline.errors import FailedError
from trunkline.images.layers import EPOCH
from trunkline.images.layout import (
    CONSTANT,
    Image,
    Layout,
    own_layers,
    read_archive,
    write_archive,
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


def test_layers_of_the_base_stay_and_own_ones_lose_their_time(tmp_path: Path) -> None:
    base, own = tar_of({"base": b"1"}), tar_of({"own": b"2"})
    image = read(tmp_path, saved(tmp_path, base, own, history=[BASE, SETTING, STEP]))
    first, second = (
        gzip.decompress(image.layout.path(layer["digest"]).read_bytes())
        for layer in image.manifest.document["layers"]
    )
    assert first == base
    assert second == tar_of({"own": b"2"}, mtime=EPOCH)


def test_two_builds_at_different_times_have_one_digest(tmp_path: Path) -> None:
    digests = set()
    for time in (EPOCH + 1, EPOCH + 2):
        own = tar_of({"own": b"2"}, mtime=time)
        digests.add(
            read(tmp_path, saved(tmp_path, own, history=[STEP])).manifest.digest
        )
    assert len(digests) == 1


def test_a_layer_that_is_packed_already_is_taken_as_it_is(tmp_path: Path) -> None:
    packed = gzip.compress(tar_of({"own": b"2"}))
    image = read(tmp_path, saved(tmp_path, packed, history=[STEP]))
    (layer,) = image.manifest.document["layers"]
    assert image.layout.path(layer["digest"]).read_bytes() == packed
    assert image.config["rootfs"]["diff_ids"] == ["sha256:0"]


def test_without_a_history_every_layer_is_taken_for_own() -> None:
    assert own_layers({"rootfs": {"diff_ids": ["a", "b"]}}) == [True, True]


def test_what_is_written_for_the_engine_is_read_as_the_same_image(
    tmp_path: Path,
) -> None:
    own = tar_of({"own": b"2"})
    image = read(tmp_path, saved(tmp_path, own, history=[STEP]))
    write_archive(image, "x:2", tmp_path / "again.tar")
    assert read(tmp_path, tmp_path / "again.tar").manifest == image.manifest


def test_an_archive_of_something_else_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "other.tar").write_bytes(tar_of({"readme": b"hello"}))
    with pytest.raises(FailedError, match="no readable image"):
        read(tmp_path, tmp_path / "other.tar")
