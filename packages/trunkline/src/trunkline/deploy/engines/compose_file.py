"""The input of `docker compose`: files, a generated override, and variables."""

import json
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from trunkline.deploy.environments import PORTS, Environment
from trunkline.deploy.operation import Instance
from trunkline.errors import FailedError

# The service in the team's file that both colours extend, and its port.
SERVICE, PORT = "service", 8000
# Databases and the like, in a file beside it.
BACKING = "backing.yaml"
COLOURS = ("blue", "green")
LABEL = "dev.trunkline"
IPV6 = 6


def team_files(environment: Environment, root: Path) -> tuple[Path, ...]:
    """Return the team's files; the first one defines the service.

    A file that the environment names is the only one: it has all that is needed.
    """
    if environment.compose:
        return (root / environment.compose,)
    first = root / f"docker/{environment.name}.compose.yaml"
    backing = first.with_name(BACKING)
    return (first, backing) if backing.exists() else (first,)


def service(
    instance: Instance,
    *,
    name: str,
    image: str,
    base: Path,
    variables: Path,
    folder: Path,
) -> dict[str, Any]:
    """Define an instance as a service, whose name is the instance's address.

    `base` is the team's file, and `folder` the state of the clone that deploys. The
    port of this machine is for the probe.
    """
    return {
        "extends": {"file": str(base), "service": SERVICE},
        "container_name": name,
        "image": image,
        "pull_policy": "never",
        "restart": "unless-stopped",
        "ports": [f"127.0.0.1::{PORT}"],
        "env_file": [{"path": str(variables), "format": "raw"}],
        "labels": {
            f"{LABEL}.operation": instance.operation,
            f"{LABEL}.commit": instance.commit,
            f"{LABEL}.address": instance.address,
            f"{LABEL}.folder": str(folder),
        },
    }


def write_override(services: Mapping[str, Any]) -> bytes:
    """Write the services as JSON, which is valid YAML, with every `$` escaped."""
    text = json.dumps({"services": services}, indent=2)
    return text.replace("$", "$$").encode()


def read_override(content: bytes) -> dict[str, Any]:
    """Return the services of the override."""
    document = json.loads(content.decode().replace("$$", "$"))
    found: dict[str, Any] = document["services"]
    return found


def free_colour(taken: set[str]) -> str:
    """Return the unused colour; raises FailedError if both are in use."""
    for colour in COLOURS:
        if colour not in taken:
            return colour
    raise FailedError(
        f"has no free colour: found {' and '.join(COLOURS)} running, expected one at "
        "most"
    )


def proxy_variables(environment: Environment, live: Path) -> dict[str, str]:
    """Return the variables that the team's file uses for its proxy.

    Caddy serves https itself for a host's name; else it takes whatever comes to a port.
    """
    parts = urlsplit(environment.url)
    port = parts.port or PORTS[parts.scheme]
    if parts.scheme == "https":
        site, ports = f"{parts.hostname}:{port}", f"{port}:{port}"
    else:
        site, ports = ":80", f"{_bound(parts.hostname or '')}{port}:80"
    return {
        "TRUNKLINE_LIVE": str(live),
        "TRUNKLINE_SITE": site,
        "TRUNKLINE_PORTS": ports,
    }


def _bound(host: str) -> str:
    """Return the address to listen on; for a host name, all addresses."""
    try:
        ip = ip_address(host)
    except ValueError:
        return "127.0.0.1:" if host == "localhost" else ""
    return f"[{ip}]:" if ip.version == IPV6 else f"{ip}:"
