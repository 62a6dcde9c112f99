"""Delete images from ghcr.io, which is only possible through GitHub's own API."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from trunkline.commits.conventional import shown
from trunkline.registry.manifests import MALFORMED
from trunkline.registry.reference import ImageName
from trunkline.registry.responses import (
    FORBIDDEN,
    NO_CONTENT,
    NOT_FOUND,
    OK,
    UNAUTHORIZED,
    RegistryError,
    RegistryResponse,
    unreadable,
)
from trunkline.registry.transport import Transport

REGISTRY = "ghcr.io"
_API = "https://api.github.com"
_PAGE = 100


@dataclass(slots=True)
class GitHubPackages:
    """The versions of a container package: each is a manifest with its tags."""

    name: ImageName
    transport: Transport
    api: str = _API
    token: Callable[[], str] = field(default=lambda: "", repr=False)
    # Seconds before each look at the list: a push takes a moment to appear in it.
    pauses: Sequence[float] = (0, 1, 3)
    _versions: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, name: ImageName, transport: Transport, environ: Mapping[str, str]
    ) -> "GitHubPackages | None":
        """Return the client for an image on ghcr.io; None for any other registry."""
        if name.registry != REGISTRY:
            return None

        def token() -> str:
            who = transport.authorization.credentials
            return environ.get("GITHUB_TOKEN") or (who.password if who else "")

        return cls(name, transport, environ.get("GITHUB_API_URL") or _API, token)

    def delete(self, digest: str) -> bool:
        """Delete a manifest and all its tags; False if it does not exist."""
        for pause in self.pauses:
            if digest in self._versions:
                break
            time.sleep(pause)
            self._versions = dict(self._list())
        address = self._versions.pop(digest, None)
        if address is None:
            return False
        return self._ask("DELETE", address).status != NOT_FOUND

    def _list(self) -> Iterator[tuple[str, str]]:
        """Yield each manifest's digest and address, of an organization or a person."""
        owner, _, package = self.name.path.partition("/")
        for kind in ("orgs", "users"):
            base = f"{self.api}/{kind}/{owner}/packages/container/{quote(package, '')}"
            found = [*self._pages(f"{base}/versions")]
            if found:
                yield from found
                return

    def _pages(self, address: str) -> Iterator[tuple[str, str]]:
        page = 1
        while True:
            response = self._ask("GET", f"{address}?per_page={_PAGE}&page={page}")
            try:
                rows = json.loads(response.body) if response.status == OK else []
                found = [(str(row["name"]), f"{address}/{row['id']}") for row in rows]
            except MALFORMED:
                raise unreadable(response, "list of versions") from None
            yield from found
            if len(rows) < _PAGE:
                return
            page += 1

    def _ask(self, method: str, url: str) -> RegistryResponse:
        headers = {"Accept": "application/vnd.github+json"}
        if token := self.token():
            headers["Authorization"] = f"Bearer {token}"
        response = self.transport.send(method, url, headers, None)
        if response.status in {OK, NO_CONTENT, NOT_FOUND}:
            return response
        raise RegistryError(
            found=f"{response.method} {response.url} was answered {response.status}"
            f"{_said(response)}; ghcr.io deletes only through that API",
            fix=_fix(response),
            status=response.status,
        )


def _fix(response: RegistryResponse) -> str:
    limited = response.headers.get("X-RateLimit-Remaining") == "0"
    if limited or "Retry-After" in response.headers:
        return "uv run trunkline prune  (in an hour: GitHub's rate limit is reached)"
    if response.status in {UNAUTHORIZED, FORBIDDEN, NOT_FOUND}:
        return (
            "export GITHUB_TOKEN=TOKEN  (one that may delete packages; "
            "in a workflow: permissions: packages: write)"
        )
    return (
        "uv run trunkline prune --keep TAG  (or ask https://support.github.com to "
        "delete it)"
    )


def _said(response: RegistryResponse) -> str:
    try:
        return f" ({shown(json.loads(response.body)['message'])})"
    except MALFORMED:
        return ""
