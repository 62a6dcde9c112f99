"""Responses of a registry, and errors that explain them to a person. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate
from urllib.parse import urlsplit

from trunkline.commits.conventional import shown
from trunkline.errors import FailedError
from trunkline.registry.credentials import PASSWORD, USER
from trunkline.registry.manifests import MALFORMED

OK, CREATED, ACCEPTED, NO_CONTENT = 200, 201, 202, 204
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, NOT_ALLOWED = 401, 403, 404, 405
FAILING = 500
UNSUPPORTED = "UNSUPPORTED"


class RegistryError(FailedError):
    """The registry gave no usable response; `status` is None if it gave none at all.

    `codes` are the registry's own error codes, such as DENIED.
    """

    def __init__(
        self,
        *,
        found: str,
        fix: str,
        status: int | None = None,
        codes: tuple[str, ...] = (),
    ) -> None:
        self.found, self.fix = found, fix
        self.status = status
        self.codes = codes
        super().__init__(f"{found}\n  type next: {fix}")


@dataclass(frozen=True, slots=True)
class RegistryResponse:
    """One response."""

    method: str
    # Without its query, which may hold a signature or the state of an upload.
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def errors(self) -> tuple[tuple[str, str], ...] | None:
        """The registry's own errors, code and message each; None if it wrote none."""
        try:
            found = json.loads(self.body)["errors"]
            return tuple(
                (str(one.get("code", "")), str(one.get("message", ""))) for one in found
            )
        except MALFORMED:
            return None


def without_query(url: str) -> str:
    """Return an address without what must not be shown."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def unreadable(answer: RegistryResponse, wanted: str) -> RegistryError:
    """Explain a response that does not hold what it should; it may hold a token."""
    kind = shown(answer.headers.get("Content-Type", "")) or "no Content-Type"
    return RegistryError(
        found=f"{answer.method} {answer.url} gave no {wanted}, but {len(answer.body)} "
        f"bytes with {kind}",
        fix=f"curl -i {answer.url}  (to see what answers there)",
    )


def unexpected(
    answer: RegistryResponse, *, registry: str, need: str, who: str
) -> RegistryError:
    """Explain a response that is neither "found" nor "not found".

    `who` describes the account that was used, `need` the rights that it needs.
    """
    said = "; ".join(
        shown(f"{code}: {message}" if message else code)
        for code, message in answer.errors or ()
    )
    if answer.method == "DELETE" and (
        answer.status == NOT_ALLOWED or UNSUPPORTED in said
    ):
        return RegistryError(
            found=f"{registry} does not delete images ({answer.status} for "
            f"DELETE {answer.url})",
            fix="the same command again  (once deletion is enabled there; "
            "distribution: storage.delete.enabled)",
            status=answer.status,
        )
    found = (
        f"{answer.method} {answer.url} was answered {answer.status}"
        + (f" ({said})" if said else "")
        + f", requested {who}"
    )
    return RegistryError(
        found=found,
        fix=_fix(answer, registry, need),
        status=answer.status,
        codes=tuple(code for code, _ in answer.errors or ()),
    )


def _fix(answer: RegistryResponse, registry: str, need: str) -> str:
    match answer.status:
        case 401 | 403:
            return (
                f"docker login {registry}  (an account that may "
                f"{need.replace(',', ' and ')}; or set {USER} and {PASSWORD})"
            )
        case 404:
            return f"curl -i {answer.url}  (to see whether a registry answers there)"
        case 429:
            wait = answer.headers.get("Retry-After", "")
            date = f"after {wait}" if parsedate(wait) else "again later"
            when = f"in {wait} seconds" if wait.isdigit() else date
            return f"the same command {when}  (its rate limit is reached)"
        case 413 | 507:
            return "the same command again  (once there is room on the registry)"
        case status if status >= FAILING:
            return "the same command again  (if it recurs, ask who runs the registry)"
    return f"curl -i {answer.url}  (to see the whole response)"
