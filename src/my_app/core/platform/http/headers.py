"""Request headers, and the security headers of responses."""

from collections.abc import Mapping, Sequence

from starlette.types import Scope

type Header = tuple[bytes, bytes]

# Set in the state of a request by the server: whether a trusted proxy sent it.
FROM_PROXY = "from_proxy"

PAGE_HEADERS: Sequence[Header] = (
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class SecurityHeaders:
    """The security headers of every response, built once.

    The API's set follows OWASP's REST Security Cheat Sheet; Content-Security-Policy
    supersedes X-Frame-Options. HTML pages get two more, which mean nothing elsewhere.
    Browsers ignore Strict-Transport-Security over plain HTTP, so it does no harm in
    development.
    """

    def __init__(
        self,
        *,
        enabled: bool,
        hsts_seconds: int,
        policy: str,
        page_policies: Mapping[str, str],
    ) -> None:
        always: list[Header] = []
        if enabled:
            always.append((b"x-content-type-options", b"nosniff"))
            always.append((b"cache-control", b"no-store"))
        if enabled and hsts_seconds:
            value = f"max-age={hsts_seconds}".encode()
            always.append((b"strict-transport-security", value))
        self._default = with_policy(always, policy) if enabled else ()
        self._pages = {
            path: with_policy([*always, *PAGE_HEADERS], page_policy)
            for path, page_policy in page_policies.items()
            if enabled
        }

    def for_path(self, path: str) -> Sequence[Header]:
        """Return the headers for responses to requests for `path`."""
        return self._pages.get(path, self._default)


def with_policy(headers: Sequence[Header], policy: str) -> tuple[Header, ...]:
    """Add a Content-Security-Policy to a set of headers."""
    return (*headers, (b"content-security-policy", policy.encode()))


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return the first header with this lower-case name; None if there is none."""
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return None
