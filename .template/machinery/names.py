"""Collect the names that a service must not have."""

import keyword
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

# A service of this name would hide a module, or a folder of the repository.
_OWN = {"benchmarks", "docker", "docs", "github", "packages", "src", "test", "tests"}
# Its script, in .venv/bin, would be run in place of a program.
_PROGRAMS = {
    "awk", "bash", "cat", "cp", "curl", "cut", "date", "env", "find", "gh", "git",
    "grep", "head", "kubectl", "ls", "make", "mkdir", "mv", "node", "ps", "psql",
    "python", "python3", "rm", "sed", "sh", "sleep", "ssh", "tail", "tar", "tee", "uv",
    "uvx", "xargs",
}  # fmt: skip
# YAML reads them as no text.
_YAML = {"n", "no", "null", "off", "on", "y", "yes"}
# Windows cannot check out a file or a folder of this name.
_DEVICES = {"aux", "con", "nul", "prn"} | {
    f"{device}{number}" for device in ("com", "lpt") for number in range(10)
}


def taken_names(root: Path) -> frozenset[str]:
    """Collect keywords, modules, distributions of uv.lock, programs and devices.

    Import names, such as yaml for pyyaml, and scripts are those of what is installed.
    """
    lock = tomllib.loads((root / "uv.lock").read_text(encoding="utf-8"))
    distributions = {row["name"].replace("-", "_") for row in lock["package"]}
    scripts = metadata.entry_points(group="console_scripts").names
    names = {
        *keyword.kwlist,
        *keyword.softkwlist,
        *sys.stdlib_module_names,
        *metadata.packages_distributions(),
        *distributions,
        *(name.replace("-", "_") for name in scripts),
        *_OWN,
        *_PROGRAMS,
        *_YAML,
        *_DEVICES,
    } - {"my_app"}
    return frozenset(n for n in map(str.lower, names) if re.fullmatch("[a-z]\\w*", n))
