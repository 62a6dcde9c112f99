"""GitHub's REST API, as much of it as a release needs."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import Retry, Timeout

from trunkline import __version__
from trunkline.errors import FailedError, Refusal

API = "https://api.github.com"
OK, CREATED, NOT_FOUND, INVALID = 200, 201, 404, 422
_PASSING = (429, 500, 502, 503, 504)
_ADDRESS = re.compile(r"github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$")


class GitHubError(FailedError):
    """GitHub did not do what it was asked; `status` is its answer's, 0 for none."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Place:
    """A repository on GitHub, the address of its API and who asks."""

    api: str
    repository: str
    token: str


def place(environ: Mapping[str, str], remote_address: str) -> Place:
    """Find the repository: a workflow says it, elsewhere the remote's address does.

    Raises Refusal without a token or a repository on GitHub.
    """
    repository = repository_name(environ, remote_address)
    token = environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN", "")
    if not repository:
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
    return Place(environ.get("GITHUB_API_URL") or API, repository, token)


def repository_name(environ: Mapping[str, str], remote_address: str) -> str:
    """Return OWNER/NAME; empty text where neither says it."""
    found = _ADDRESS.search(remote_address)
    return environ.get("GITHUB_REPOSITORY") or (found[1] if found else "")


class GitHub:
    """Ask the API about one repository; every method raises GitHubError."""

    def __init__(self, where: Place, *, backoff: float = 0.5) -> None:
        self.root = f"{where.api}/repos/{where.repository}"
        self._headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {where.token}",
            "User-Agent": f"trunkline/{__version__}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        # A POST, too: that a release is there already is an answer like another.
        retries = Retry(
            4,
            allowed_methods=None,
            status_forcelist=_PASSING,
            backoff_factor=backoff,
            raise_on_status=False,
        )
        self._pool = urllib3.PoolManager(
            timeout=Timeout(connect=10, read=60), retries=retries
        )

    def release(self, tag: str) -> dict[str, Any] | None:
        """Return the published release of a tag; None if there is none."""
        return self._ask("GET", f"/releases/tags/{quote(tag, safe='')}", missing=True)

    def latest(self) -> str | None:
        """Return the tag of the release that is marked as the latest."""
        found = self._ask("GET", "/releases/latest", missing=True)
        return str(found["tag_name"]) if found else None

    def create(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Create a release."""
        return self._ask("POST", "/releases", fields) or {}

    def edit(self, number: int, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Change a release."""
        return self._ask("PATCH", f"/releases/{number}", fields) or {}

    def _ask(
        self,
        method: str,
        path: str,
        fields: Mapping[str, Any] | None = None,
        *,
        missing: bool = False,
    ) -> dict[str, Any] | None:
        body = None if fields is None else json.dumps(fields).encode()
        url = f"{self.root}{path}"
        try:
            answer = self._pool.request(method, url, body=body, headers=self._headers)
        except HTTPError as error:
            raise GitHubError(f"{method} {url}: {error}", status=0) from error
        if answer.status == NOT_FOUND and missing:
            return None
        if answer.status not in (OK, CREATED):
            said = _message(answer.data)
            raise GitHubError(
                f"{method} {url} was answered with {answer.status}: {said}",
                status=answer.status,
            )
        return dict(json.loads(answer.data))


def _message(data: bytes) -> str:
    """Return what GitHub says about an error, or what else was answered."""
    try:
        return str(json.loads(data)["message"])
    except (ValueError, KeyError, TypeError):
        return data[:200].decode("utf-8", "replace")
