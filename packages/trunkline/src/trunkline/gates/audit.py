"""`trunkline audit`: known vulnerabilities of everything that uv.lock holds.

`uv audit` asks for every version that is locked, for any platform. It passes over what
comes from no index, so this command names that, and keeps a service that cannot be
reached apart from a vulnerability.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from trunkline.errors import UsageError
from trunkline.files import read_toml
from trunkline.gates.gate import NOT_CHECKED
from trunkline.git import Repository
from trunkline.options import command
from trunkline.output import say
from trunkline.process import uv
from trunkline.settings import read_settings
from trunkline.workspace.members import members, normal

TABLE = "[tool.trunkline.audit]"
# The tool is a dependency from git; its own dependencies are in the lock file.
OWN_BY_DEFAULT = ("trunkline",)
_LOCAL = ("directory", "editable", "virtual")
# Exit code of `uv audit`; with any other but 0 there was no answer.
_VULNERABLE = 1


@command(passes_on="Other arguments go to `uv audit`, such as `--ignore ID`.")
def audit(*, others: Sequence[str]) -> int:
    """Print the result; returns 0, 1 for a vulnerability, 75 for not checked."""
    root = Repository.find().root
    declared = own_packages(read_settings(root / "pyproject.toml").audit)
    locked = read_toml(root / "uv.lock").get("package", [])
    own = {*declared, *(m.name for m in members(root) if m.origin is None)}
    foreign = report_unindexed(unindexed(locked), own, declared)
    for name in sorted({*declared} - {*OWN_BY_DEFAULT} - {p["name"] for p in locked}):
        print(f"{TABLE} own: {name} is not in uv.lock; remove it from the list")
    options = ("--frozen", "--preview-features", "audit-command", *others)
    done = uv("audit", *options, cwd=root)
    print("\n".join(filter(None, (done.text, done.complaint))))
    if done.code not in (0, _VULNERABLE):
        say("NOT CHECKED\n  type next: uv run trunkline audit  (where osv.dev answers)")
    elif done.code == _VULNERABLE:
        say("VULNERABLE\n  type next: uv lock --upgrade-package NAME")
        return 1
    return NOT_CHECKED if foreign or not done.ok else 0


def own_packages(table: Mapping[str, Any]) -> tuple[str, ...]:
    """Read `own`, a list of names; raises UsageError on anything else."""
    value = table.get("own", list(OWN_BY_DEFAULT))
    texts = isinstance(value, list) and all(isinstance(name, str) for name in value)
    if not texts or table.keys() - {"own"}:
        raise UsageError(
            f"{TABLE} is {dict(table)}; expected `own`, a list of names of packages\n"
            f"  type next: add to pyproject.toml:\n{_lines(OWN_BY_DEFAULT)}"
        )
    return tuple(normal(name) for name in value)


def unindexed(packages: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Map every package that comes from no index to the kind of its source.

    A folder of this repository is left out: its code is the project's own.
    """
    found = {}
    for package in packages:
        kind, address = next(iter(package["source"].items()))
        outside = Path(address).is_absolute() or address.startswith("..")
        if kind != "registry" and (kind not in _LOCAL or outside):
            found[package["name"]] = kind
    return found


def report_unindexed(
    found: Mapping[str, str], own: Collection[str], declared: Collection[str]
) -> list[str]:
    """Print what no advisory service covers; returns the packages of other teams."""
    foreign = [name for name in found if name not in own]
    for name, kind in found.items():
        heading = "NOT CHECKED" if name in foreign else "not on an index"
        print(f"{heading}: {name} (from {kind})")
    if foreign:
        print(
            "  expected:  packages from an index, or of your own team\n"
            "  type next: add to pyproject.toml:  (if your team maintains them)\n"
            f"{_lines({*declared, *foreign})}"
        )
    return foreign


def _lines(names: Collection[str]) -> str:
    return f"    {TABLE}\n    own = {json.dumps(sorted(names))}"
