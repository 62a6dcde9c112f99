"""Requests to one registry: retried if that helps, every failure explained."""

import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    InvalidHeader,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    ResponseError,
    SSLError,
)
from urllib3.util import Retry, Timeout

from trunkline import __version__
from trunkline.commits.conventional import shown
from trunkline.output import say
from trunkline.registry.authorization import Authorization, read_token
from trunkline.registry.credentials import HUB_HOSTS, Credentials
from trunkline.registry.manifests import MALFORMED
from trunkline.registry.reference import ImageName
from trunkline.registry.responses import (
    FORBIDDEN,
    NOT_FOUND,
    OK,
    UNAUTHORIZED,
    RegistryError,
    RegistryResponse,
    unexpected,
    unreadable,
    without_query,
)

# Statuses of a temporary failure, after which a retry often succeeds.
_PASSING = frozenset({429, 500, 502, 503, 504})
_LOOPBACK = re.compile(r"(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]+)?")

ANNOUNCE_AFTER_SECONDS = 2

Body = bytes | IO[bytes] | None


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to wait, in seconds, and how often to retry."""

    connect: float = 10
    read: float = 60
    retries: int = 4
    backoff: float = 0.5
    # The limit for `Retry-After`.
    longest_wait: int = 60


# For what a plan can do without.
ONCE = RetryPolicy(connect=3, read=10, retries=0)


class _AnnouncedRetry(Retry):
    # GitHub answers 403 with the time to wait where others answer 429.
    RETRY_AFTER_STATUS_CODES = Retry.RETRY_AFTER_STATUS_CODES | {FORBIDDEN}

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        with suppress(InvalidHeader):  # Not understood is as if it were not there.
            return super().get_retry_after(response)
        return None

    def sleep_for_retry(self, response: BaseHTTPResponse) -> bool:
        wait = self.get_retry_after(response)
        if wait and wait > ANNOUNCE_AFTER_SECONDS:
            say(f"the server is busy; retrying in {wait:.0f} seconds …")
        return super().sleep_for_retry(response)


def is_loopback(host: str) -> bool:
    """Whether a host, perhaps with a port, is this machine."""
    return _LOOPBACK.fullmatch(host) is not None


class Transport:
    """Send authorized requests to a registry."""

    def __init__(
        self,
        name: ImageName,
        find: Callable[[], Credentials | None],
        *,
        plain: bool,
        retry_policy: RetryPolicy,
    ) -> None:
        """`plain` selects plain HTTP, which registries on this machine always use."""
        self.plain = plain or is_loopback(name.registry)
        self.registry = name.registry
        scheme = "http" if self.plain else "https"
        hub = name.registry in HUB_HOSTS
        self.root = f"{scheme}://{'registry-1.docker.io' if hub else name.registry}"
        self.authorization = Authorization(name, find, self._ask_token_service)
        self._pools: dict[str | None, urllib3.PoolManager] = {}
        self._options: dict[str, Any] = {
            "timeout": Timeout(connect=retry_policy.connect, read=retry_policy.read),
            "retries": _AnnouncedRetry(
                retry_policy.retries,
                allowed_methods=None,
                status_forcelist=_PASSING,
                backoff_factor=retry_policy.backoff,
                retry_after_max=retry_policy.longest_wait,
                raise_on_status=False,
            ),
            "maxsize": 8,
        }

    def close(self) -> None:
        """Close the connections."""
        for pool in self._pools.values():
            pool.clear()

    def request(
        self,
        method: str,
        url: str,
        *,
        need: str,
        expect: Collection[int],
        headers: Mapping[str, str] | None = None,
        body: Body = None,
    ) -> RegistryResponse:
        """Send a request, and once more with a new token if the first one is refused.

        `url` is a path, or an address from the registry. Raises RegistryError on an
        unexpected status.
        """
        url = self.join(self.root, url)
        own = url.startswith(f"{self.root}/")
        start = None if body is None or isinstance(body, bytes) else body.tell()
        for _ in ("first", "again"):
            sent = self.authorization.header(need) if own else None
            token = {"Authorization": sent} if sent else {}
            response = self.send(method, url, {**(headers or {}), **token}, body)
            if response.status != UNAUTHORIZED or not own:
                break
            challenge = response.headers.get("WWW-Authenticate")
            if not self.authorization.refused(sent, challenge, need):
                break
            if start is not None and not isinstance(body, bytes) and body:
                body.seek(start)
        # A "not found" may come from some other server, such as a proxy.
        known = response.method == "HEAD" or response.errors is not None
        if response.status in expect and (response.status != NOT_FOUND or known):
            return response
        raise unexpected(response, registry=self.registry, need=need, who=self._who())

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: Body
    ) -> RegistryResponse:
        """Send a request to any address without credentials; returns any response."""
        asked = without_query(url)
        try:
            response = self._pool(url).request(
                method,
                url,
                headers={"User-Agent": f"trunkline/{__version__}", **headers},
                body=body,
            )
        except (HTTPError, ValueError) as error:
            # Its text may contain the whole address.
            raise _unreachable(self.registry, asked, error) from None
        return RegistryResponse(
            method, asked, response.status, response.headers, response.data
        )

    def _ask_token_service(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[str, float]:
        place, url = url.partition("?")[0], self.join(self.root, url)
        parts = urlsplit(url)
        safe = parts.scheme == "https" or self.plain or is_loopback(parts.netloc)
        if not place or not safe:
            raise RegistryError(
                found=f"{self.registry} names the token service `{place}`; expected an "
                "address that begins with https",
                fix=f"curl -i {self.root}/v2/  (to see what it answers)",
            )
        response = self.send(method, url, headers, body)
        if response.status == OK:
            try:
                return read_token(response.body)
            except MALFORMED:
                raise unreadable(response, "token") from None
        raise unexpected(response, registry=self.registry, need="pull", who=self._who())

    def join(self, base: str, url: str) -> str:
        """Return the address that a response names; raises RegistryError if none."""
        try:
            parts = urlsplit(joined := urljoin(urljoin(self.root, base), url))
            known = parts.scheme in {"http", "https"} and parts.port != 0
            if known and parts.hostname and " " not in joined:
                return joined
        except ValueError:
            pass
        raise RegistryError(
            found=f"{self.registry} names `{shown(url.partition('?')[0])}`; expected "
            "an address that begins with http",
            fix=f"curl -i {self.root}/v2/  (to see what answers there)",
        )

    def _who(self) -> str:
        who = self.authorization.credentials
        return f"with the account from {who.source}" if who else "without an account"

    def _pool(self, url: str) -> urllib3.PoolManager:
        """Return the connection pool, with the proxy that the environment names."""
        parts = urlsplit(url)
        direct = is_loopback(parts.netloc) or proxy_bypass(parts.hostname or "")
        proxy = None if direct else getproxies().get(parts.scheme)
        if proxy not in self._pools:
            self._pools[proxy] = (
                urllib3.ProxyManager(proxy, **self._options)
                if proxy
                else urllib3.PoolManager(**self._options)
            )
        return self._pools[proxy]


def _unreachable(registry: str, url: str, error: Exception) -> RegistryError:
    cause, host, place = error, urlsplit(url).hostname, url
    fix = f"curl -i {url}  (then the same command again)"
    if isinstance(error, MaxRetryError):
        cause, last = error.reason or error, getattr(error.pool, "host", host)
        place, host = url if last == host else f"{url} leads to {last}, which", last
    match cause:
        case NameResolutionError():
            why, fix = "its name is unknown here", f"getent hosts {host}"
        case ValueError() | ResponseError():
            why = "it sends to an address that is none, or back and forth"
        case NewConnectionError():
            why = "nothing answers there"
        case ConnectTimeoutError() | ReadTimeoutError():
            why = "it did not answer in time"
        case SSLError():
            why = f"its certificate is not accepted: {cause.args[0]}"
            fix = (
                "export SSL_CERT_FILE=FILE  (your authority's certificate; for plain "
                f'http: [tool.trunkline] insecure_registries = ["{registry}"])'
            )
        case _:
            why = f"the connection broke ({type(cause).__name__})"
    return RegistryError(found=f"{place} cannot be reached: {why}", fix=fix)
