import gzip
from pathlib import Path

import pytest

from archives import BASE, SETTING, STEP, read, saved, tar_of
from trunkline.errors import FailedError
from trunkline.images.layers import EPOCH
from trunkline.images.layout import own_layers, write_archive


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
