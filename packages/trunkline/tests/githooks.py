"""Git hooks, here and on the remote."""

from pathlib import Path

# On a host it is a person's right to bypass; here a variable says so.
BYPASS = "TEST_BYPASS"
PROTECTED = f"""\
[ -z "${BYPASS}" ] || exit 0
case $1 in refs/heads/main) echo "changes must be made by a pull request"; exit 1;; esac
"""


def install_hook(git_dir: Path, name: str, body: str) -> None:
    """Write a hook as a shell script."""
    file = git_dir / "hooks" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)


def protect(origin: Path) -> None:
    """Have a remote refuse every direct push to its trunk."""
    install_hook(origin, "update", PROTECTED)
