from dataclasses import replace
from pathlib import Path

import pytest

from archives import SOURCE, built_image, tar_of
from faults import Fault, Proxy
from trunkline.images.attestations import provenance
from trunkline.images.build_image import push
from trunkline.images.layout import BuiltImage
from trunkline.registry.client import Registry
from trunkline.registry.responses import RegistryError
from trunkline.settings import Settings

SETTINGS = Settings()


@pytest.fixture
def image(tmp_path: Path) -> BuiltImage:
    """A small image that was built and tested."""
    return built_image(tmp_path, tar_of({"base": b"1"}), tar_of({"own": b"2"}))


def test_what_is_pushed_is_an_index_of_an_image_and_what_is_said_of_it(
    image: BuiltImage, proxy: Proxy
) -> None:
    registry = proxy.server.connect()
    index = push(registry, [image], SOURCE, SETTINGS)
    assert registry.manifest(index.digest) == index
    assert index.children[0] == image.manifest.digest
    attestation = registry.manifest(index.children[1])
    assert attestation is not None
    kinds = [
        layer["annotations"]["in-toto.io/predicate-type"]
        for layer in attestation.document["layers"]
    ]
    assert kinds == ["https://spdx.dev/Document", "https://slsa.dev/provenance/v1"]
    assert registry.tags() == []


def test_two_platforms_are_one_index_with_the_attestations_of_each(
    image: BuiltImage, registry: Registry, tmp_path: Path
) -> None:
    arm = built_image(tmp_path, tar_of({"base": b"3"}), architecture="arm64")
    index = push(registry, [image, arm], SOURCE, SETTINGS)
    listed = index.document["manifests"]
    platforms = [one["platform"]["architecture"] for one in listed]
    assert platforms == ["amd64", "arm64", "unknown", "unknown"]
    named = [one["annotations"]["vnd.docker.reference.digest"] for one in listed[2:]]
    assert named == list(index.children[:2])
    assert all(registry.manifest(digest) for digest in index.children)
    assert push(registry, [image, arm], SOURCE, SETTINGS) == index


def test_without_attestations_one_image_is_a_plain_manifest(
    image: BuiltImage, registry: Registry, tmp_path: Path
) -> None:
    none = Settings(attestations="none")
    plain = push(registry, [image], SOURCE, none)
    assert (plain, plain.is_index) == (image.manifest, False)
    arm = built_image(tmp_path, tar_of({"base": b"3"}), architecture="arm64")
    index = push(registry, [image, arm], SOURCE, none)
    assert index.children == (image.manifest.digest, arm.manifest.digest)


def test_bases_that_are_named_by_digest_are_part_of_the_provenance() -> None:
    digest = "0" * 64
    source = replace(SOURCE, bases=(f"python:3.12@sha256:{digest}",))
    found = provenance(source, dockerfile="Dockerfile", platform="any")
    commit, base = found["buildDefinition"]["resolvedDependencies"]
    assert commit["digest"] == {"gitCommit": SOURCE.commit}
    assert base == {
        "uri": "docker-image://python:3.12",
        "digest": {"sha256": digest},
    }


def test_a_second_push_of_the_same_sends_nothing_and_says_the_same(
    image: BuiltImage, proxy: Proxy
) -> None:
    registry = proxy.server.connect()
    first = push(registry, [image], SOURCE, SETTINGS)
    before = proxy.count("POST .*/blobs/")
    assert push(registry, [image], SOURCE, SETTINGS) == first
    assert proxy.count("POST .*/blobs/") == before


def test_a_blob_that_is_missed_for_a_moment_is_no_failure(
    image: BuiltImage, proxy: Proxy
) -> None:
    unknown = b'{"errors": [{"code": "MANIFEST_BLOB_UNKNOWN", "message": ""}]}'
    proxy.faults = [Fault("PUT .*/manifests/", times=2, status=400, body=unknown)]
    registry = proxy.server.connect()
    index = push(registry, [image], SOURCE, SETTINGS)
    assert registry.digest(index.digest) == index.digest


@pytest.mark.parametrize("fault", ["PUT .*/manifests/", "(PUT|PATCH) .*/blobs/"])
def test_a_registry_that_fails_on_the_way_leaves_no_tag_and_can_be_asked_again(
    image: BuiltImage, proxy: Proxy, fault: str
) -> None:
    registry = proxy.server.connect()
    proxy.faults = [Fault(fault, times=99, status=500)]
    with pytest.raises(RegistryError, match="answered 500"):
        push(registry, [image], SOURCE, SETTINGS)
    assert registry.tags() == []
    proxy.faults = []
    index = push(registry, [image], SOURCE, SETTINGS)
    assert registry.digest(index.digest) == index.digest


def test_a_connection_that_is_slow_or_breaks_now_and_then_is_borne(
    image: BuiltImage, proxy: Proxy
) -> None:
    registry = proxy.server.connect()
    proxy.faults = [
        Fault("POST", delay=0.5),
        Fault("PUT .*/blobs/", lost=True),
        Fault("PUT .*/manifests/", lost=True),
        Fault("PUT .*/manifests/", status=503, headers={"Retry-After": "1"}),
    ]
    index = push(registry, [image], SOURCE, SETTINGS)
    assert registry.digest(index.digest) == index.digest
