"""Responses that are no HTTP address, no JSON, or JSON of another shape."""

import io
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from faults import Fault, Proxy
from registries import CONFIG_TYPE, push_image
from trunkline.images.inventory import read_holdings, read_labels, read_tags
from trunkline.registry.client import Registry
from trunkline.registry.manifests import OCI_INDEX, OCI_MANIFEST, Manifest, descriptor
from trunkline.registry.responses import RegistryError

NO_JSON = [b"", b"<html>", b"\xff\xfe", b"[" * 100_000]
SHAPES = [*NO_JSON, b"null", b"[]", b"7", b'"x"']
MANIFESTS = [
    b'{"manifests": null}',
    b'{"manifests": {"a": 1}}',
    b'{"manifests": [{}]}',
    b'{"config": 7}',
    b'{"layers": [null]}',
    b'{"annotations": [1]}',
]
ADDRESSES = ["http://[", "http://127.0.0.1:99999/", "ftp://x/y", "http://exa mple/"]
FAR = Fault(
    "tags/list", status=307, headers={"Location": "http://store.invalid/x?sig=s"}
)


def refused(proxy: Proxy, fault: Fault, ask: Callable[[Registry], object]) -> str:
    """Return how a response is refused: it names the registry, and what to type."""
    proxy.faults.insert(0, fault)
    with proxy.server.connect() as registry, pytest.raises(RegistryError) as caught:
        ask(registry)
    said = str(caught.value)
    assert proxy.server.host in said
    assert "type next: " in said
    return said


@pytest.mark.parametrize("body", [*SHAPES, *MANIFESTS], ids=lambda it: repr(it[:20]))
@pytest.mark.parametrize("kind", [OCI_INDEX, OCI_MANIFEST])
def test_a_manifest_of_another_form_is_refused(
    proxy: Proxy, body: bytes, kind: str
) -> None:
    headers = {"Content-Type": kind}
    fault = Fault("GET .*manifests", status=200, headers=headers, body=body)
    said = refused(proxy, fault, lambda registry: registry.manifest("main"))
    assert f"gave no manifest of an image, but {len(body)} bytes" in said


@pytest.mark.parametrize(
    "body",
    [*SHAPES, b"{}", b'{"tags": 7}', b'{"tags": {"a": 1}}', b'{"tags": [null]}'],
    ids=lambda it: repr(it[:20]),
)
def test_a_list_of_tags_of_another_form_is_refused(proxy: Proxy, body: bytes) -> None:
    fault = Fault("tags/list", status=200, body=body)
    assert "gave no list of tags" in refused(proxy, fault, Registry.tags)


@pytest.mark.parametrize(
    "body",
    [*SHAPES, b"{}", b'{"token": null}', b'{"token": {}}', b'{"token": "a\\nb"}',
     '{"token": "€"}'.encode(), b'{"token": "x", "expires_in": [1]}'],
    ids=lambda it: repr(it[:20]),
)  # fmt: skip
def test_a_token_of_another_form_is_refused_and_not_shown(
    proxy: Proxy, body: bytes
) -> None:
    proxy.faults.append(Fault("/token", status=200, body=body, times=9))
    realm = f'Bearer realm="http://{proxy.server.host}/token"'
    fault = Fault("/v2/", status=401, headers={"WWW-Authenticate": realm}, times=9)
    said = refused(proxy, fault, lambda registry: registry.digest("main"))
    assert f"/token gave no token, but {len(body)} bytes" in said


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_is_none_is_refused(proxy: Proxy, address: str) -> None:
    link = {"Link": f'<{address}>; rel="next"'}
    realm = {"WWW-Authenticate": f'Bearer realm="{address}"'}
    faults = [
        Fault("tags/list", status=307, headers={"Location": address}),
        Fault("tags/list", status=200, body=b'{"tags": []}', headers=link),
        Fault("tags/list", status=401, headers=realm),
    ]
    for fault in faults:
        refused(proxy, fault, Registry.tags)
    fault = Fault("^POST", status=202, headers={"Location": address})
    digest = f"sha256:{'0' * 64}"
    refused(proxy, fault, lambda it: it.push_blob(digest, io.BytesIO(b"x")))


def test_a_challenge_without_a_token_service_is_refused(proxy: Proxy) -> None:
    fault = Fault("tags/list", status=401, headers={"WWW-Authenticate": "Bearer"})
    assert "names the token service ``" in refused(proxy, fault, Registry.tags)


def test_the_host_that_a_registry_leads_to_is_named(proxy: Proxy) -> None:
    said = refused(proxy, FAR, Registry.tags)
    assert "leads to store.invalid, which cannot be reached" in said
    assert "getent hosts store.invalid" in said
    assert "sig=" not in said


def test_words_of_a_registry_stay_in_their_line(proxy: Proxy) -> None:
    body = b'{"errors": [{"code": "X", "message": "a\\n  type next: rm \\u001b[31m"}]}'
    said = refused(proxy, Fault("", status=400, body=body), Registry.tags)
    assert "X: a\\n  type next: rm \\x1b[31m" in said


@pytest.mark.parametrize(
    ("wait", "when"),
    [("7", "in 7 seconds"), ("Wed, 21 Oct 2099 07:28:00 GMT", "after Wed, 21 Oct 2099"),
     ("soon", "again later")],
)  # fmt: skip
def test_a_busy_registry_says_when_it_answers(
    proxy: Proxy, wait: str, when: str
) -> None:
    fault = Fault("", status=429, headers={"Retry-After": wait}, times=9)
    assert f"the same command {when}" in refused(proxy, fault, Registry.tags)


@pytest.mark.parametrize(
    "content",
    [*NO_JSON, b"null", b'{"config": 7}', b'{"config": {"Labels": ["a"]}}'],
    ids=lambda it: repr(it[:20]),
)
def test_what_is_stored_like_an_image_has_no_labels(
    registry: Registry, content: bytes
) -> None:
    config = descriptor(content, CONFIG_TYPE)
    registry.push_blob(config["digest"], io.BytesIO(content))
    registry.put_manifest("chart", manifest := Manifest.of(config))
    assert read_labels(registry, manifest) == {}
    held = read_holdings(registry, read_tags(registry), lambda tags: set(tags.values()))
    assert (held.tags, held.made) == ({"chart": manifest.digest}, {})


def test_an_upload_may_be_named_by_its_path(proxy: Proxy) -> None:
    with proxy.server.connect() as registry:
        begun = registry.transport.request(
            "POST", f"/v2/{registry.name.path}/blobs/uploads/", need="", expect={202}
        )
        whole = urlsplit(begun.headers["Location"])
        path = whole._replace(scheme="", netloc="").geturl()
        proxy.faults.append(Fault("^POST", status=202, headers={"Location": path}))
        image = push_image(registry)
        assert registry.manifest(image.digest) == image
