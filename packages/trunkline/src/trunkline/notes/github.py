"""GitHub's REST API, as much of it as a release needs."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from trunkline.errors import Refusal
from trunkline.registry.manifests import MALFORMED
from trunkline.registry.reference import ImageName
from trunkline.registry.responses import (
    CREATED,
    NOT_FOUND,
    OK,
    RegistryError,
    unreadable,
)
from trunkline.registry.transport import RetryPolicy, Transport

API = "https://api.github.com"
_ADDRESS = re.compile(r"github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$")


def find_github(environ: Mapping[str, str], remote_address: str) -> "GitHub":
    """Find the repository in a workflow's variables, else in the remote's address."""
    address = _ADDRESS.search(remote_address)
    name = environ.get("GITHUB_REPOSITORY") or (address[1] if address else "")
    token = environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN", "")
    if not name:
        raise Refusal(
            rule="github",
            found=f"a remote at {remote_address or 'no address'}",
            expected="a repository on GitHub",
            fix="export GITHUB_REPOSITORY=OWNER/NAME",
        )
    if not token:
        raise Refusal(
            rule="token",
            found="neither GITHUB_TOKEN nor GH_TOKEN",
            expected="a token that may write the contents of the repository",
            fix="export GITHUB_TOKEN=$(gh auth token)",
        )
    return GitHub(environ.get("GITHUB_API_URL") or API, name, token)


class GitHub:
    """A client for the releases of one repository; methods raise RegistryError."""

    def __init__(
        self, api: str, repository: str, token: str, *, backoff: float = 0.5
    ) -> None:
        self.repository = repository
        self._root = f"{api}/repos/{repository}/releases"
        self._headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {token}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        # POST is retried, too: that the release exists already is an answer to handle.
        server = ImageName(urlsplit(api).netloc, repository)
        policy = RetryPolicy(backoff=backoff)
        self._transport = Transport(
            server, lambda: None, plain=False, retry_policy=policy
        )

    def release(self, tag: str) -> dict[str, Any] | None:
        """Return the published release of a tag; None if there is none."""
        return self._request("GET", f"/tags/{quote(tag, safe='')}")

    def write(self, fields: Mapping[str, Any], number: int | None) -> str:
        """Create a release, or change the one of this number; returns its address."""
        method, path = ("POST", "") if number is None else ("PATCH", f"/{number}")
        return str((self._request(method, path, fields) or {})["html_url"])

    def _request(
        self, method: str, path: str, fields: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        """Send a request; None where a GET finds nothing."""
        body = None if fields is None else json.dumps(fields).encode()
        url = f"{self._root}{path}"
        answer = self._transport.send(method, url, self._headers, body)
        if answer.status == NOT_FOUND and method == "GET":
            return None
        if answer.status not in (OK, CREATED):
            said = answer.body[:500].decode("utf-8", "replace")
            raise RegistryError(
                found=f"{method} {url} was answered with {answer.status}: {said}",
                fix="the same command again  (its token has to allow contents: write)",
                status=answer.status,
            )
        try:
            found = json.loads(answer.body)
            return {"id": int(found["id"]), "html_url": str(found["html_url"])}
        except MALFORMED:
            raise unreadable(answer, "release") from None
