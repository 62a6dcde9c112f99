"""Ask an instance itself whether it is ready: an engine's "healthy" does not say so."""

import urllib3

SECONDS = 2
OK = 200


def is_well(address: str, *, commit: str, host: str) -> bool:
    """Whether the instance at `address` (HOST:PORT) is ready and reports `commit`.

    `host` is the header of the environment's clients; a service may accept no other.
    """
    # A new connection each time, because a pooled one may lead to a stopped instance.
    with urllib3.PoolManager(
        headers={"Host": host}, timeout=SECONDS, retries=False
    ) as pool:
        try:
            if pool.request("GET", f"http://{address}/readyz").status != OK:
                return False
            named = pool.request("GET", f"http://{address}/version")
            return bool(named.json()["commit"] == commit)
        except (urllib3.exceptions.HTTPError, ValueError, KeyError, TypeError):
            return False
