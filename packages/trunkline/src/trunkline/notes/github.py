"""GitHub's REST API, as much of it as a release needs."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import Retry, Timeout

from trunkline import __version__
from trunkline.errors import FailedError, Refusal

API = "https://api.github.com"
OK, CREATED, NOT_FOUND, INVALID = 200, 201, 404, 422
_TRANSIENT = (429, 500, 502, 503, 504)
_ADDRESS = re.compile(r"github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$")


class GitHubError(FailedError):
    """A request failed; `status` is that of the response, 0 without one."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


def find_github(environ: Mapping[str, str], remote_address: str) -> "GitHub":
    """Find the repository in a workflow's variables, elsewhere in the remote's address.

    Raises Refusal without a token or a repository on GitHub.
    """
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
    """A client for the releases of one repository; methods raise GitHubError."""

    def __init__(
        self, api: str, repository: str, token: str, *, backoff: float = 0.5
    ) -> None:
        self.repository = repository
        self._root = f"{api}/repos/{repository}/releases"
        self._headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {token}",
            "User-Agent": f"trunkline/{__version__}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        # POST is retried, too: that the release exists already is an answer to handle.
        retries = Retry(
            4,
            allowed_methods=None,
            status_forcelist=_TRANSIENT,
            backoff_factor=backoff,
            raise_on_status=False,
        )
        timeout = Timeout(connect=10, read=60)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=retries)

    def release(self, tag: str) -> dict[str, Any] | None:
        """Return the published release of a tag; None if there is none."""
        return self._request("GET", f"/tags/{quote(tag, safe='')}")

    def create(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Create a release."""
        return self._request("POST", "", fields) or {}

    def edit(self, number: int, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Change a release."""
        return self._request("PATCH", f"/{number}", fields) or {}

    def _request(
        self, method: str, path: str, fields: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        """Send a request; None where a GET finds nothing."""
        body = None if fields is None else json.dumps(fields).encode()
        url = f"{self._root}{path}"
        try:
            answer = self._pool.request(method, url, body=body, headers=self._headers)
        except HTTPError as error:
            raise GitHubError(f"{method} {url}: {error}", status=0) from error
        if answer.status == NOT_FOUND and method == "GET":
            return None
        if answer.status not in (OK, CREATED):
            said = answer.data[:500].decode("utf-8", "replace")
            raise GitHubError(
                f"{method} {url} was answered with {answer.status}: {said}",
                status=answer.status,
            )
        return dict(json.loads(answer.data))
