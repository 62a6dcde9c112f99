"""The names that no service can have."""

import keyword
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

# A service of this name would hide a module, or a folder of the repository.
_OWN = frozenset(
    {"benchmarks", "docker", "docs", "packages", "src", "test", "tests", "trunkline"}
)


def taken_names(root: Path) -> frozenset[str]:
    """Collect words of Python, names of modules, and distributions of uv.lock.

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
    } - {"my_app"}
    return frozenset(n for n in map(str.lower, names) if re.fullmatch("[a-z]\\w*", n))
