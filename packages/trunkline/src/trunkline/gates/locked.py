"""What uv.lock holds, as an audit needs it: pinned packages and those from elsewhere.

Pure but for reading uv.lock and running `uv export`.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trunkline.errors import FailedError
from trunkline.uv import uv

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)[^\\]*(?=\\?$)")
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

    @property
    def names(self) -> frozenset[str]:
        """The names of all packages that an audit is about."""
        return self.pinned | set(self.unindexed)


def read_lock(root: Path) -> LockedPackages:
    """Read the lock file of a project; raises FailedError if uv cannot read it."""
    exported = uv(
        *("export", "--frozen", "--all-extras", "--all-groups", "--quiet"),
        *("--no-emit-workspace", "--format", "requirements.txt"),
        cwd=root,
    )
    if not exported.ok:
        raise FailedError(
            f"uv.lock cannot be read: {exported.complaint}\n  type next: uv lock"
        )
    requirements, pinned = pins(exported.text)
    document = tomllib.loads((root / "uv.lock").read_text(encoding="utf-8"))
    return LockedPackages(requirements, pinned, unindexed(document.get("package", [])))


def pins(exported: str) -> tuple[str, frozenset[str]]:
    """Reduce what `uv export` prints to pinned packages with hashes, and list them.

    Markers are dropped, because a package that is locked for another platform runs
    there. Only a package that is locked in two versions keeps them: pip-audit takes
    one of each.
    """
    names = [m["name"] for line in exported.splitlines() if (m := _PIN.match(line))]
    lines, skipping = [], False
    for line in exported.splitlines():
        pin = _PIN.match(line)
        if not line.startswith((" ", "#")):
            skipping = pin is None
        if skipping:
            continue
        if pin and names.count(pin["name"]) == 1:
            end = " \\" if line.endswith("\\") else ""
            lines.append(f"{pin['name']}=={pin['version']}{end}")
        else:
            lines.append(line)
    return "\n".join(lines) + "\n", frozenset(names)


def unindexed(packages: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Map every package that comes from no index to its source, without credentials.

    A folder of this repository is left out: its code is the project's own.
    """
    found = {}
    for package in packages:
        ((kind, address),) = list(package["source"].items())[:1]
        outside = Path(address).is_absolute() or address.startswith("..")
        if kind == "registry" or (kind in _LOCAL and not outside):
            continue
        found[package["name"]] = _CREDENTIALS.sub("", _readable(kind, address))
    return found


def _readable(kind: str, address: str) -> str:
    """Show a source in the form of a requirement; uv keeps a git tag in the query."""
    if kind != "git":
        return address
    url, _, rest = address.partition("?")
    revision = re.search(r"(?:tag|rev|branch)=([^&#]+)", rest)
    commit = address.rpartition("#")[2][:12]
    url = url.partition("#")[0]
    return f"git+{url}@{revision[1] if revision else commit}"
