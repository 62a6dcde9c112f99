"""What `docker compose` is given: the team's files, and variables of the proxy."""

from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from trunkline.deploy.environments import PORTS, Environment

# Databases and the like, in a file beside it.
BACKING = "backing.yaml"


def team_files(environment: Environment, root: Path) -> tuple[Path, ...]:
    """Return the team's files; the first one defines the service.

    A file that the environment names is the only one: it has all that is needed.
    """
    if environment.compose:
        return (root / environment.compose,)
    first = root / f"docker/{environment.name}.compose.yaml"
    backing = first.with_name(BACKING)
    return (first, backing) if backing.exists() else (first,)


def proxy_variables(environment: Environment, live: Path) -> dict[str, str]:
    """Return the variables that the team's file uses for its proxy.

    Caddy serves https itself for a host's name; else it takes whatever comes to a port.
    """
    parts = urlsplit(environment.url)
    port = parts.port or PORTS[parts.scheme]
    if parts.scheme == "https":
        site, ports = f"{parts.hostname}:{port}", f"{port}:{port}"
    else:
        site, ports = ":80", f"{_listening(environment)}:80"
    return {
        "TRUNKLINE_LIVE": str(live),
        "TRUNKLINE_SITE": site,
        "TRUNKLINE_PORTS": ports,
    }


def _listening(environment: Environment) -> str:
    """Return where to listen; for the name of a host, on all of its addresses."""
    host, _, port = environment.address.rpartition(":")
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return f"127.0.0.1:{port}" if host == "localhost" else port
    return environment.address
