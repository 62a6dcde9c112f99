import hashlib
import io
import json

import pytest

from registries import Server, push_image, push_index
from trunkline.registry.client import Registry
from trunkline.registry.responses import RegistryError


def test_a_tag_of_nothing_has_no_digest(registry: Registry) -> None:
    assert registry.digest("main") is None
    assert registry.manifest("main") is None
    assert registry.tags() == []


def test_what_was_put_under_a_tag_is_found_by_tag_and_digest(
    registry: Registry,
) -> None:
    image = push_image(registry)
    registry.put_manifest("main", image)
    assert registry.digest("main") == image.digest
    assert registry.manifest("main") == registry.manifest(image.digest) == image


def test_an_image_without_a_tag_is_in_no_list(registry: Registry) -> None:
    image = push_image(registry)
    assert registry.digest(image.digest) == image.digest
    assert registry.tags() == []


def test_tags_are_sorted(registry: Registry) -> None:
    image = push_image(registry)
    for tag in ("main", "latest", "1.2.0"):
        registry.put_manifest(tag, image)
    assert registry.tags() == ["1.2.0", "latest", "main"]


def test_an_index_names_its_children(registry: Registry) -> None:
    one, two = push_image(registry, "one"), push_image(registry, "two")
    index = push_index(registry, one, two)
    found = registry.manifest(index.digest)
    assert found is not None
    assert (found.is_index, found.children) == (True, (one.digest, two.digest))


def test_an_image_names_its_blobs(registry: Registry) -> None:
    image = push_image(registry, labels={"dev.trunkline.branch": "main"})
    config, layer = image.blobs()
    assert registry.has_blob(layer)
    labels = json.loads(registry.blob(config))["config"]["Labels"]
    assert labels == {"dev.trunkline.branch": "main"}


@pytest.mark.parametrize("size", [0, 1, 5_000_000])
def test_a_blob_is_stored_once(registry: Registry, size: int) -> None:
    content = bytes(size)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert not registry.has_blob(digest)
    assert registry.push_blob(digest, io.BytesIO(content))
    assert not registry.push_blob(digest, io.BytesIO(content))
    assert registry.blob(digest) == content


def test_the_rest_of_a_file_is_stored(registry: Registry) -> None:
    file = io.BytesIO(b"headrest")
    file.seek(4)
    digest = f"sha256:{hashlib.sha256(b'rest').hexdigest()}"
    registry.push_blob(digest, file)
    assert registry.blob(digest) == b"rest"


def test_a_blob_under_a_wrong_digest_is_not_stored(registry: Registry) -> None:
    digest = f"sha256:{hashlib.sha256(b'other').hexdigest()}"
    with pytest.raises(RegistryError, match="DIGEST_INVALID"):
        registry.push_blob(digest, io.BytesIO(b"this"))
    assert not registry.has_blob(digest)


def test_deleting_a_digest_deletes_all_its_tags(registry: Registry) -> None:
    image, other = push_image(registry, "one"), push_image(registry, "two")
    for tag, manifest in (("a", image), ("b", image), ("c", other)):
        registry.put_manifest(tag, manifest)
    assert registry.delete(image.digest)
    assert registry.tags() == ["c"]
    assert not registry.delete(image.digest)


def test_an_image_whose_layers_are_missing_is_refused(
    registry: Registry, registry_server: Server
) -> None:
    image = push_image(registry)
    with registry_server.connect() as elsewhere:
        with pytest.raises(RegistryError, match="MANIFEST_BLOB_UNKNOWN"):
            elsewhere.put_manifest("main", image)
        assert elsewhere.digest("main") is None
