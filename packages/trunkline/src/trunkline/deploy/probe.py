"""Ask an instance itself whether it is well: an engine's "healthy" is not "ready"."""

import urllib3

SECONDS = 2


def is_well(address: str, *, commit: str, host: str) -> bool:
    """Whether the instance at `address` is ready and names `commit`.

    `host` is what a client of the environment asks for: a service may accept no other.
    """
    try:
        ready = _get(f"http://{address}/readyz", host)
        if ready.status != 200:  # noqa: PLR2004 - HTTP's OK
            return False
        named = _get(f"http://{address}/version", host)
        return bool(named.json()["commit"] == commit)
    except (urllib3.exceptions.HTTPError, ValueError, KeyError, TypeError):
        return False


def _get(url: str, host: str) -> urllib3.BaseHTTPResponse:
    headers = {"Host": host}
    return urllib3.request("GET", url, headers=headers, timeout=SECONDS, retries=False)
