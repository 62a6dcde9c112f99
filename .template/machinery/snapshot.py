"""The working tree as a commit that uv can depend on."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trunkline import process
from trunkline.git import QUIET

_IDENTITY = {
    f"GIT_{role}_{key}": "trunkline"
    for role in ("AUTHOR", "COMMITTER")
    for key in ("NAME", "EMAIL")
}


@contextmanager
def snapshot(root: Path) -> Iterator[tuple[str, str]]:
    """Give the URL of a bare repository and the commit that holds the working tree.

    Uncommitted changes are included; the repository itself is left as it is.
    """
    with tempfile.TemporaryDirectory(prefix="template-") as folder:
        env = {**QUIET, **_IDENTITY, "GIT_INDEX_FILE": f"{folder}/index"}
        origin = Path(folder).resolve() / "template.git"

        def git(*arguments: str) -> str:
            return process.run(["git", *arguments], cwd=root, env=env, check=True).text

        git("read-tree", "HEAD")
        git("add", "--all")
        commit = git("commit-tree", git("write-tree"), "-m", "chore: snapshot")
        git("init", "--quiet", "--bare", "--initial-branch=main", str(origin))
        # Borrow the objects instead of copying them.
        objects = Path(root, git("rev-parse", "--git-path", "objects")).resolve()
        (origin / "objects/info/alternates").write_text(f"{objects}\n")
        git(f"--git-dir={origin}", "update-ref", "refs/heads/main", commit)
        yield origin.as_uri(), commit
