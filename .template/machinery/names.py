"""Collect the names that a service must not have."""

import keyword
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

# A service of this name would hide a module, or a folder of the repository.
_OWN = {"benchmarks", "docker", "docs", "github", "packages", "src", "test", "tests"}
# Windows cannot check out a file or a folder of this name.
_DEVICES = {"aux", "con", "nul", "prn"} | {
    f"{device}{number}" for device in ("com", "lpt") for number in range(10)
}


def taken_names(root: Path) -> frozenset[str]:
    """Collect keywords, modules, distributions of uv.lock, and names of devices.

    Import names, such as yaml for pyyaml, are those of what is installed.
    """
    lock = tomllib.loads((root / "uv.lock").read_text(encoding="utf-8"))
    distributions = {row["name"].replace("-", "_") for row in lock["package"]}
    names = {
        *keyword.kwlist,
        *keyword.softkwlist,
        *sys.stdlib_module_names,
        *metadata.packages_distributions(),
        *distributions,
        *_OWN,
        *_DEVICES,
    } - {"my_app"}
    return frozenset(n for n in map(str.lower, names) if re.fullmatch("[a-z]\\w*", n))
