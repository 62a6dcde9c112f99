"""Audit the locked dependencies; say loudly what could not be checked.

pip-audit alone passes when its advisory service knows none of the packages. This
exits with 0 where all are checked and none is vulnerable, with 1 where one is, and
with 75 where the service could not be asked or does not know a package.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

FAILED = 1
NOT_CHECKED = 75  # EX_TEMPFAIL of sysexits.h

# uv tells what it starts where it is itself: not on the PATH, perhaps.
EXPORT = [os.environ.get("UV", "uv"), "export", "--frozen", "--quiet"]
EXPORT += ["--all-extras", "--no-emit-workspace"]
AUDIT = ["pip-audit", "--format=json", "--disable-pip", "--require-hashes"]


def audit() -> tuple[list[str], list[str]]:
    """Return what is vulnerable and what was not checked, a line each."""
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder, "requirements.txt")
        requirements.write_bytes(
            subprocess.run(EXPORT, check=True, stdout=subprocess.PIPE).stdout
        )
        done = subprocess.run(
            [*AUDIT, "--requirement", str(requirements)],
            check=False,
            capture_output=True,
            text=True,
        )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = done.stderr.strip().splitlines()[-1:] or ["no answer"]
        return [], [f"all packages: {reason[0]}"]
    vulnerable = [
        f"{package['name']} {package['version']}: {found['id']}, "
        f"fixed in {', '.join(found['fix_versions']) or 'no version yet'}"
        for package in packages
        for found in package.get("vulns", [])
    ]
    skipped = [
        f"{package['name']}: {package['skip_reason']}"
        for package in packages
        if "skip_reason" in package
    ]
    return vulnerable, skipped


def main() -> int:
    """Print the findings; return 0, FAILED or NOT_CHECKED."""
    vulnerable, unchecked = audit()
    for line in vulnerable:
        print(f"vulnerable: {line}")
    if unchecked:
        print(f"NOT CHECKED: {len(unchecked)} packages, of which the first 3 are")
        for line in unchecked[:3]:
            print(f"    {line}")
    if vulnerable:
        return FAILED
    return NOT_CHECKED if unchecked else 0


if __name__ == "__main__":
    sys.exit(main())
