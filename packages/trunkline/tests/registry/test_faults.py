"""Registries on a bad day: down, slow, full, busy, forgetful."""

import hashlib
import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from disks import small_disk
from faults import Fault, Proxy
from registries import Server, free_port, push_image, running_registry
from trunkline.registry.client import Registry
from trunkline.registry.responses import RegistryError
from trunkline.registry.transport import RetryPolicy

CONTENT = bytes(range(256)) * 4_000
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
UPLOAD = "^PUT .*/uploads/"


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own, which is full at half a megabyte."""
    with small_disk(tmp_path / "disk", kibibytes=512) as folder:
        yield folder


def test_a_registry_that_is_down_is_named(tmp_path: Path) -> None:
    port = free_port()
    with (
        Server(f"127.0.0.1:{port}", tmp_path).connect() as registry,
        pytest.raises(RegistryError, match="nothing answers there") as caught,
    ):
        registry.digest("main")
    assert caught.value.status is None
    assert f"127.0.0.1:{port}/v2/" in str(caught.value)


def test_a_registry_without_a_name_is_explained(registry_server: Server) -> None:
    server = Server("registry.invalid", registry_server.storage)
    with (
        server.connect() as registry,
        pytest.raises(RegistryError, match="its name is unknown here"),
    ):
        registry.digest("main")


def test_a_slow_registry_is_given_up(proxy: Proxy) -> None:
    proxy.faults.append(Fault("", delay=1, times=9))
    hasty = RetryPolicy(read=0.2, retries=1, backoff=0)
    with (
        proxy.server.connect(retry_policy=hasty) as registry,
        pytest.raises(RegistryError, match="did not answer in time"),
    ):
        registry.digest("main")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_registry_that_fails_twice_is_asked_a_third_time(
    proxy: Proxy, status: int
) -> None:
    with proxy.server.connect() as registry:
        image = push_image(registry)
        proxy.faults.append(Fault("^PUT", status=status, times=2))
        registry.put_manifest("main", image)
        assert registry.digest("main") == image.digest
    assert proxy.count("^PUT .*/main") == 3


def test_a_registry_that_keeps_failing_is_no_missing_tag(proxy: Proxy) -> None:
    proxy.faults.append(Fault("", status=500, times=99))
    with (
        proxy.server.connect() as registry,
        pytest.raises(RegistryError, match="was answered 500"),
    ):
        registry.digest("main")
    assert proxy.count("HEAD") == 3


def test_a_busy_registry_is_asked_again_when_it_says(proxy: Proxy) -> None:
    proxy.faults.append(Fault("HEAD", status=429, headers={"Retry-After": "1"}))
    with proxy.server.connect() as registry:
        begun = time.monotonic()
        assert registry.digest("main") is None
    assert time.monotonic() - begun >= 1


def test_a_registry_that_stays_busy_says_how_long(proxy: Proxy) -> None:
    busy = Fault("", status=429, headers={"Retry-After": "3600"}, times=99)
    proxy.faults.append(busy)
    brief = RetryPolicy(retries=1, backoff=0, longest_wait=1)
    with (
        proxy.server.connect(retry_policy=brief) as registry,
        pytest.raises(RegistryError, match="in 3600 seconds"),
    ):
        registry.digest("main")


def test_a_busy_registry_is_asked_again_whatever_it_says(proxy: Proxy) -> None:
    proxy.faults.append(Fault("", status=429, headers={"Retry-After": "1.5"}))
    with proxy.server.connect() as registry:
        assert registry.digest("main") is None
        assert registry.tags() == []


def test_not_found_by_another_server_is_no_missing_tag(proxy: Proxy) -> None:
    proxy.faults.append(Fault("", status=404, body=b"<h1>Not found</h1>", times=99))
    with proxy.server.connect() as registry:
        for ask in (registry.digest, registry.manifest):
            with pytest.raises(RegistryError, match="answered 404"):
                ask("main")
        with pytest.raises(RegistryError, match="answered 404"):
            registry.tags()


@pytest.mark.parametrize("cut", [0, 1, 1_000, 500_000])
def test_a_blob_is_sent_again_if_the_connection_broke(proxy: Proxy, cut: int) -> None:
    proxy.faults.append(Fault(UPLOAD, cut=cut))
    with proxy.server.connect() as registry:
        assert registry.push_blob(DIGEST, io.BytesIO(CONTENT))
        assert registry.blob(DIGEST) == CONTENT
    assert proxy.count(UPLOAD) > 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(UPLOAD, status=500),
        Fault(UPLOAD, status=503, headers={"Retry-After": "0"}),
        Fault(UPLOAD, lost=True),
        Fault("^POST", status=502),
        Fault("^POST", lost=True),
    ],
    ids=str,
)
def test_a_blob_is_whole_after_one_fault(proxy: Proxy, fault: Fault) -> None:
    proxy.faults.append(fault)
    with proxy.server.connect() as registry:
        assert registry.push_blob(DIGEST, io.BytesIO(CONTENT))
        assert registry.blob(DIGEST) == CONTENT


def test_a_fault_between_blob_and_manifest_leaves_no_tag(proxy: Proxy) -> None:
    proxy.faults.append(Fault("^PUT .*/manifests/", status=500, times=99))
    with proxy.server.connect() as registry:
        with pytest.raises(RegistryError, match="answered 500"):
            push_image(registry)
        assert registry.tags() == []
        proxy.faults.clear()
        uploads = proxy.count(UPLOAD)
        push_image(registry)
    assert proxy.count(UPLOAD) == uploads  # The blobs were there.


def test_a_full_registry_says_so(proxy: Proxy) -> None:
    proxy.faults.append(Fault(UPLOAD, status=507, times=99))
    with (
        proxy.server.connect() as registry,
        pytest.raises(RegistryError, match="once there is room on the registry"),
    ):
        registry.push_blob(DIGEST, io.BytesIO(CONTENT))


def test_a_disk_that_is_full_is_no_lost_tag(tiny_disk: Path) -> None:
    with running_registry(tiny_disk) as server, server.connect() as registry:
        image = push_image(registry)
        registry.put_manifest("main", image)
        with pytest.raises(RegistryError, match="was answered 5") as caught:
            registry.push_blob(DIGEST, io.BytesIO(CONTENT))
        assert "type next: the same command again" in str(caught.value)
        assert not registry.has_blob(DIGEST)
        assert registry.digest("main") == image.digest


def test_a_manifest_that_was_changed_on_the_way_is_not_believed(
    proxy: Proxy, registry: Registry
) -> None:
    image = push_image(registry)
    kind = {"Content-Type": image.media_type}
    proxy.faults.append(Fault("^GET", status=200, headers=kind, body=b"{}", times=2))
    with (
        proxy.server.connect(registry.name.path) as ours,
        pytest.raises(RegistryError, match="expected sha256:"),
    ):
        ours.manifest(image.digest)


def test_a_registry_that_names_no_digest_is_asked_for_the_image(
    proxy: Proxy, registry: Registry
) -> None:
    registry.put_manifest("main", image := push_image(registry))
    proxy.faults.append(Fault("^HEAD", status=200))
    with proxy.server.connect(registry.name.path) as ours:
        assert ours.digest("main") == image.digest
    assert proxy.count("^GET") == 1


def test_pages_of_tags_are_followed_to_their_end(proxy: Proxy) -> None:
    body = b'{"name": "x", "tags": ["%s"]}'
    following = '</v2/x/tags/list?last=b&n=1>; rel="next"'
    proxy.faults += [
        Fault("list.n=1000", status=200, body=body % b"b", headers={"Link": following}),
        Fault("last=b", status=200, body=body % b"a", headers={"Link": following}),
    ]
    with proxy.server.connect() as registry:
        assert registry.tags() == ["a", "b"]
    assert proxy.count("last=b") == 1


def test_a_registry_that_forbids_to_delete_says_so(tmp_path: Path) -> None:
    with (
        running_registry(tmp_path, delete=False) as server,
        server.connect() as registry,
    ):
        image = push_image(registry)
        with pytest.raises(RegistryError, match="does not delete") as caught:
            registry.delete(image.digest)
    assert caught.value.status == 405
