"""Headers: reading one of a request, and the security headers of a response."""

from collections.abc import Mapping, Sequence

from starlette.types import Scope

type Header = tuple[bytes, bytes]

PAGE_HEADERS: Sequence[Header] = (
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class SecurityHeaders:
    """The security headers of each response, made once.

    For the API the set is OWASP's (REST Security Cheat Sheet); Content-Security-Policy
    also covers what X-Frame-Options did. The two more that pages have mean nothing
    elsewhere. Browsers heed Strict-Transport-Security over HTTPS only, so it does no
    harm in development.
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
        if enabled and hsts_seconds:
            value = f"max-age={hsts_seconds}".encode()
            always.append((b"strict-transport-security", value))
        self._default = with_policy(always, policy) if enabled else ()
        self._pages = {
            path: with_policy([*always, *PAGE_HEADERS], page_policy)
            for path, page_policy in page_policies.items()
            if enabled
        }

    def of(self, path: str) -> Sequence[Header]:
        """Return the headers of a response to a request for `path`."""
        return self._pages.get(path, self._default)


def with_policy(headers: Sequence[Header], policy: str) -> tuple[Header, ...]:
    """Add a Content-Security-Policy to a set of headers."""
    return (*headers, (b"content-security-policy", policy.encode()))


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return the first header of this lower-case name; None if there is none.

    Reads the scope: a request object around it would cost more than the search.
    """
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return None
