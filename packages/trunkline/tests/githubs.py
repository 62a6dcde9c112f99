"""A fake of GitHub's releases API on a free port of this machine."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from http_servers import QuietHandler, serving
from samples import Ran, Sample

TOKEN = "ghs_0123456789"  # noqa: S105 - of the fake


@dataclass
class FakeGitHub:
    """Releases by tag, and the requests; `faults` are returned first."""

    url: str = ""
    releases: dict[str, dict[str, Any]] = field(default_factory=dict)
    latest: str | None = None
    asked: list[str] = field(default_factory=list)
    faults: list[tuple[str, int]] = field(default_factory=list)

    def answer(
        self, method: str, path: str, fields: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        self.asked.append(f"{method} {path}")
        if self.faults and self.faults[0][0] == method:
            return self.faults.pop(0)[1], {"message": "Planted"}
        if method == "GET":
            return self.found(path.removeprefix("/releases/tags/"))
        if method == "PATCH":
            number = int(path.rpartition("/")[2])
            tag = next(t for t, it in self.releases.items() if it["id"] == number)
            return 200, self.store(tag, fields)
        if fields["tag_name"] in self.releases:
            return 422, {"message": "Validation Failed: already_exists"}
        return 201, self.store(fields["tag_name"], fields)

    def found(self, tag: str | None) -> tuple[int, dict[str, Any]]:
        release = self.releases.get(tag or "")
        return (200, release) if release else (404, {"message": "Not Found"})

    def store(self, tag: str, fields: dict[str, Any]) -> dict[str, Any]:
        old = self.releases.get(tag, {"id": len(self.releases) + 1})
        url = f"https://github.com/acme/my-app/releases/tag/{tag}"
        self.releases[tag] = {**old, **fields, "html_url": url}
        if fields["make_latest"] == "true":
            self.latest = tag
        elif self.latest == tag:
            self.latest = None
        return self.releases[tag]


def release(sample: Sample, github: FakeGitHub, *arguments: str, **env: str) -> Ran:
    """Run `github-release` as a workflow does."""
    environment = {
        "GITHUB_API_URL": github.url,
        "GITHUB_REPOSITORY": "acme/my-app",
        "GITHUB_TOKEN": TOKEN,
    }
    return sample.trunkline("github-release", *arguments, **{**environment, **env})


@contextmanager
def github_api() -> Iterator[FakeGitHub]:
    """Serve a fake until the end of the block."""
    fake = FakeGitHub()

    class Handler(QuietHandler):
        def handle_any(self) -> None:
            fields = json.loads(self.read_body() or b"{}")
            path = self.path.removeprefix("/repos/acme/my-app")
            status, body = fake.answer(self.command, path, fields)
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                status, body = 401, {"message": "Bad credentials"}
            self.reply(status, {}, json.dumps(body).encode())

        do_GET = do_POST = do_PATCH = handle_any

    with serving(Handler) as host:
        fake.url = f"http://{host}"
        yield fake
