"""Which address is asked, by which way, and who gets to see our account."""

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults import Fault, Proxy, proxy_before
from registries import (
    PASSWORD,
    QUICK,
    USER,
    Server,
    basic_auth,
    push_image,
    running_registry,
)
from trunkline.registry.client import Registry
from trunkline.registry.reference import ImageName
from trunkline.registry.transport import RetryPolicy, Transport
from trunkline.settings import Settings

ACCOUNT = {"TRUNKLINE_REGISTRY_USER": USER, "TRUNKLINE_REGISTRY_PASSWORD": PASSWORD}
BASIC = "Basic cm9ib3Q6Y29ycmVjdCBob3JzZQ=="
CHALLENGE = {"WWW-Authenticate": 'Basic realm="test"'}
UNKNOWN = json.dumps({"errors": [{"code": "MANIFEST_UNKNOWN"}]}).encode()


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Proxy]:
    """A registry that wants a password, behind a proxy."""
    auth = basic_auth(tmp_path / "locked")
    with (
        running_registry(tmp_path / "locked", auth=auth) as server,
        proxy_before(server) as proxy,
    ):
        yield proxy


@pytest.mark.parametrize(
    ("registry", "root"),
    [
        ("ghcr.io", "https://ghcr.io"),
        ("registry.example.com:5000", "https://registry.example.com:5000"),
        ("docker.io", "https://registry-1.docker.io"),
        ("localhost:5000", "http://localhost:5000"),
        ("127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("127.1.2.3", "http://127.1.2.3"),
        ("[::1]:5000", "http://[::1]:5000"),
        ("127.0.0.1.example.com", "https://127.0.0.1.example.com"),
    ],
)
def test_only_this_machine_is_asked_without_encryption(
    registry: str, root: str
) -> None:
    name = ImageName(registry, "my-app")
    transport = Transport(name, lambda: None, plain=False, retry_policy=RetryPolicy())
    assert transport.root == root


def test_a_team_may_name_a_registry_without_encryption() -> None:
    settings = Settings(
        image="registry.lan:5000/my-app", insecure_registries=["registry.lan:5000"]
    )
    with Registry(settings, {}) as registry:
        assert registry.transport.root == "http://registry.lan:5000"


def test_the_machines_proxy_is_used(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://{proxy.server.host}")
    monkeypatch.setenv("no_proxy", "elsewhere.example.com")
    proxy.faults.append(Fault("", status=404, body=UNKNOWN, times=9))
    host = "registry.example.com"
    settings = Settings(image=f"{host}/my-app", insecure_registries=[host])
    with Registry(settings, {}, retry_policy=QUICK) as registry:
        assert registry.digest("main") is None
    address = "http://registry.example.com/v2/my-app/manifests/main"
    assert [request for request, _ in proxy.requests] == [
        f"HEAD {address}",
        f"GET {address}",
    ]


def test_where_a_blob_is_elsewhere_our_account_does_not_go_there(
    locked: Proxy, proxy: Proxy, registry: Registry
) -> None:
    _, layer = push_image(registry).blobs()
    there = f"http://{proxy.server.host}/v2/{registry.name.path}/blobs/{layer}"
    locked.faults += [
        Fault("^GET .*/blobs/", status=401, headers=CHALLENGE),
        Fault("^GET .*/blobs/", status=307, headers={"Location": there}),
    ]
    with locked.server.connect(environ=ACCOUNT) as ours:
        assert ours.blob(layer) == b"hello"
    assert (locked.authorizations[1], proxy.authorizations) == (BASIC, [None])


def test_where_an_upload_goes_elsewhere_our_account_does_not_go_there(
    locked: Proxy, proxy: Proxy, registry: Registry
) -> None:
    with proxy.server.connect(registry.name.path) as direct:
        begun = direct.transport.request(
            "POST", f"/v2/{registry.name.path}/blobs/uploads/", need="", expect={202}
        )
    proxy.authorizations.clear()
    locked.faults.append(Fault("^POST", status=202, headers=dict(begun.headers)))
    digest = f"sha256:{hashlib.sha256(b'content').hexdigest()}"
    with locked.server.connect(environ=ACCOUNT) as ours:
        ours.push_blob(digest, io.BytesIO(b"content"))
    assert registry.blob(digest) == b"content"
    assert proxy.authorizations == [None]


def test_a_wait_that_the_registry_asks_for_is_said(
    registry_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    with proxy_before(registry_server) as proxy:
        proxy.faults.append(Fault("", status=429, headers={"Retry-After": "3"}))
        patient = RetryPolicy(retries=1, backoff=0, longest_wait=3)
        with proxy.server.connect(retry_policy=patient) as registry:
            registry.digest("main")
    assert "retrying in 3 seconds" in capsys.readouterr().err
