"""Deleting at GitHub: a stand-in for its interface, before a real registry."""

import copy
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from registries import Server, push_image
from trunkline.images.deletion import carry_out
from trunkline.images.retention import Plan, Verdict
from trunkline.registry.client import Registry
from trunkline.registry.github_packages import GitHubPackages, _fix
from trunkline.registry.reference import ImageName
from trunkline.registry.responses import RegistryError, RegistryResponse

TOKEN = "token-of-a-job"  # noqa: S105 - known to the stand-in only
NAME = ImageName("ghcr.io", "acme/tools/my-app")


@dataclass(slots=True)
class GitHub:
    """What GitHub knows of a package: its versions, and who owns it."""

    registry: Registry
    storage: Path
    kind: str = "orgs"
    versions: dict[int, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    address: str = ""

    def look(self) -> None:
        """Take up every manifest that was pushed, with a tag or without."""
        repository = f"docker/registry/v2/repositories/{self.registry.name.path}"
        folder = self.storage / repository / "_manifests/revisions/sha256"
        links = folder.glob("*/link") if folder.exists() else ()
        for digest in sorted({link.read_text() for link in links} - self.deleted):
            if digest not in self.versions.values():
                self.versions[max(self.versions, default=0) + 1] = digest


@pytest.fixture
def github(registry: Registry, registry_server: Server) -> Iterator[GitHub]:
    own = GitHub(registry, registry_server.storage)

    class Handler(_Handler):
        github = own

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    own.address = f"http://127.0.0.1:{listener.server_address[1]}"
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield own
    listener.shutdown()
    listener.server_close()
    thread.join()


class _Handler(BaseHTTPRequestHandler):
    github: GitHub

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        if not self._known():
            return
        page = int(self.path.rpartition("page=")[2])
        rows = sorted(self.github.versions.items())[100 * (page - 1) : 100 * page]
        there = f"/{self.github.kind}/acme/packages/container/tools%2Fmy-app/versions?"
        body = [{"id": number, "name": digest} for number, digest in rows]
        found = self.path.startswith(there)
        self._answer(200 if found else 404, body if found else {"message": "Not Found"})

    def do_DELETE(self) -> None:
        if not self._known():
            return
        number = int(self.path.rpartition("/")[2])
        digest = self.github.versions.pop(number, None)
        if digest:
            self.github.registry.delete(digest)
            self.github.deleted.add(digest)
        self._answer(204 if digest else 404, None)

    def _known(self) -> bool:
        self.github.requests.append(f"{self.command} {self.path}")
        self.github.look()
        known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if not known:
            self._answer(403, {"message": "Must have admin rights"})
        return known

    def _answer(self, status: int, body: object) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def at_github(github: GitHub, token: str = TOKEN) -> Registry:
    """The registry as if it were GitHub's."""
    registry = copy.copy(github.registry)
    registry.packages = GitHubPackages(
        NAME, registry.transport, github.address, lambda: token, pauses=(0,)
    )
    return registry


@pytest.mark.parametrize("kind", ["orgs", "users"])
def test_an_image_of_an_organization_or_a_person_is_deleted(
    github: GitHub, kind: str
) -> None:
    github.kind = kind
    registry = at_github(github)
    image = push_image(registry)
    registry.put_manifest("feat-gone", image)
    assert registry.delete(image.digest)
    assert registry.tags() == []
    assert not registry.delete(image.digest)


def test_a_plan_is_carried_out(github: GitHub) -> None:
    registry = at_github(github)
    kept, gone = push_image(registry, "kept"), push_image(registry, "gone")
    for tag, image in (("main", kept), ("feat-merged", kept), ("feat-gone", gone)):
        registry.put_manifest(tag, image)
    merged = Verdict("feat-merged", kept.digest, stays=False, why="")
    carry_out(registry, Plan((), (merged,), (gone.digest,)))
    assert {tag: registry.digest(tag) for tag in registry.tags()} == {
        "main": kept.digest
    }


def test_a_package_that_is_not_shown_to_us_is_not_taken_for_empty(
    github: GitHub,
) -> None:
    github.kind = "enterprises"
    registry = at_github(github)
    image = push_image(registry)
    registry.put_manifest("feat-gone", image)
    with pytest.raises(RegistryError, match="and cannot be deleted"):
        carry_out(registry, Plan((), (), (image.digest,)))
    assert registry.tags() == ["feat-gone"]


def test_all_pages_are_read_once(github: GitHub) -> None:
    registry = at_github(github)
    images = [push_image(registry, f"image {number}") for number in range(3)]
    github.versions = {number: f"sha256:{number:064x}" for number in range(1, 250)}
    for number, image in enumerate(images):
        registry.put_manifest(f"tag-{number}", image)
    assert all(registry.delete(image.digest) for image in images)
    assert sum(bool(re.match("GET", one)) for one in github.requests) == 3


def test_without_the_right_to_delete_it_is_said_how_to_get_it(github: GitHub) -> None:
    registry = at_github(github, "another")
    image = push_image(registry)
    registry.put_manifest("feat-gone", image)
    with pytest.raises(RegistryError, match="Must have admin rights") as caught:
        registry.delete(image.digest)
    assert "export GITHUB_TOKEN" in str(caught.value)
    assert registry.tags() == ["feat-gone"]


@pytest.mark.parametrize(
    ("status", "headers", "advice"),
    [
        (400, {}, "support.github.com"),
        (403, {"X-RateLimit-Remaining": "0"}, "in an hour"),
        (403, {}, "export GITHUB_TOKEN"),
    ],
)
def test_the_advice_is_right_for_the_answer(
    status: int, headers: dict[str, str], advice: str
) -> None:
    answer = RegistryResponse("DELETE", "https://x", status, headers, b"{}")
    assert advice in _fix(answer)


def test_only_ghcr_is_asked_that_way(registry: Registry) -> None:
    assert GitHubPackages.of(registry.name, registry.transport, {}) is None
    packages = GitHubPackages.of(NAME, registry.transport, {"GITHUB_TOKEN": TOKEN})
    assert packages is not None
    assert (packages.token(), TOKEN in repr(packages)) == (TOKEN, False)
