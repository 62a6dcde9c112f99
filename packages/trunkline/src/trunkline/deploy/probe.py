"""Ask an instance itself whether it is well: an engine's "healthy" is not "ready"."""

import urllib3

SECONDS = 2
OK = 200


def is_well(address: str, *, commit: str, host: str) -> bool:
    """Whether the instance at `address` is ready and names `commit`.

    `host` is what a client of the environment asks for: a service may accept no other.
    """
    # A connection of its own: one that was kept may lead to what has ended.
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
