"""What uv.lock holds, as an audit needs it: pinned packages and those from elsewhere.

Everything that is locked counts, including what another platform installs.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LOCAL = ("directory", "editable", "virtual")
_CREDENTIALS = re.compile(r"(?<=://)[^/@]*@")


@dataclass(frozen=True, slots=True)
class LockedPackages:
    """The third-party packages of a lock file.

    `requirements` is what pip-audit reads, `pinned` the names in it. `unindexed` maps
    every package that comes from git, an address or a folder outside the repository
    to its source.
    """

    requirements: str
    pinned: frozenset[str]
    unindexed: Mapping[str, str]


def locked_packages(packages: Sequence[Mapping[str, Any]]) -> LockedPackages:
    """Sort the packages of a lock file by where they come from. Pure."""
    pinned = [package for package in packages if "registry" in package["source"]]
    versions = Counter(package["name"] for package in pinned)
    lines = [_pin(package, versions[package["name"]]) for package in pinned]
    return LockedPackages("".join(lines), frozenset(versions), unindexed(packages))


def _pin(package: Mapping[str, Any], versions: int) -> str:
    """Write a requirement.

    Only a package that is locked in several versions has markers, because pip-audit
    takes one of each.
    """
    markers = package.get("resolution-markers", ()) if versions > 1 else ()
    condition = " or ".join(f"({marker})" for marker in markers)
    pin = f"{package['name']}=={package['version']}"
    return f"{pin} ; {condition}\n" if condition else f"{pin}\n"


def unindexed(packages: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Map every package that comes from no index to its source, without credentials.

    A folder of this repository is left out: its code is the project's own.
    """
    found = {}
    for package in packages:
        kind, address = next(iter(package["source"].items()))
        outside = Path(address).is_absolute() or address.startswith("..")
        if kind == "registry" or (kind in _LOCAL and not outside):
            continue
        found[package["name"]] = _CREDENTIALS.sub("", _readable(kind, address))
    return found


def _readable(kind: str, address: str) -> str:
    """Show a source in the form of a requirement; uv keeps a git tag in the query."""
    if kind != "git":
        return address
    url, _, commit = address.partition("#")
    url, _, query = url.partition("?")
    revision = re.search(r"(?:tag|rev|branch)=([^&]+)", query)
    return f"git+{url}@{revision[1] if revision else commit[:12]}"
