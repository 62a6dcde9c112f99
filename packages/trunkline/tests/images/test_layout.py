import json
from pathlib import Path

import pytest

from archives import built, built_image, tar_of
from trunkline.errors import FailedError
from trunkline.images.layout import unpack_image


def test_the_bytes_of_the_builder_are_kept(tmp_path: Path) -> None:
    base, own = tar_of({"base": b"1"}), tar_of({"own": b"2"})
    image = built_image(tmp_path, base, own)
    _, *layers = image.manifest.blobs()
    assert [image.path(digest).read_bytes() for digest in layers] == [base, own]
    assert image.path(image.manifest.digest).read_bytes() == (image.manifest.content)
    assert image.platform == {"architecture": "amd64", "os": "linux"}


def test_an_image_gets_the_date_of_its_commit_and_keeps_its_layers(
    tmp_path: Path,
) -> None:
    image = built_image(tmp_path, tar_of({"own": b"2"}))
    dated = image.dated("2026-01-02T03:04:05Z")
    _, *layers = image.manifest.blobs()
    config, *same = dated.manifest.blobs()
    assert same == layers
    assert json.loads(dated.path(config).read_bytes()) == {
        **image.config,
        "created": "2026-01-02T03:04:05Z",
    }
    assert dated == image.dated("2026-01-02T03:04:05Z") != image


@pytest.mark.parametrize(
    "content", [tar_of({"readme": b"hello"}), tar_of({"index.json": b"{}"}), b"no tar"]
)
def test_an_archive_of_something_else_is_a_failure(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "other.tar").write_bytes(content)
    with pytest.raises(FailedError, match=r"no readable image|cannot be unpacked"):
        unpack_image(tmp_path / "other.tar", tmp_path / "image")


def test_an_archive_that_ends_early_is_a_failure(tmp_path: Path) -> None:
    archive = built(tmp_path, tar_of({"own": b"2"}))
    archive.write_bytes(archive.read_bytes()[:1200])
    with pytest.raises(FailedError, match=r"no readable image|cannot be unpacked"):
        unpack_image(archive, tmp_path / "image")
