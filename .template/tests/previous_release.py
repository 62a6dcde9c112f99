"""Whether the previous release works with the tables of this commit.

    uv run python .template/tests/previous_release.py [sqlite|postgres]

While a release is rolled out, and after it is taken back, the older one runs on the
newer one's tables. So its own tests are run on them.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from my_app.migrations.commands import migrate

from tests.plugins.databases import NOT_CHECKED, settings_of
from tests.postgres import programs, running_postgres
from tests.servers import ROOT, clean_environment

OPTIONS = ("--no-cov", "-m", "not slow", "--ignore=tests/migrations", "-pno:randomly")
ADVICE = """
The tests of {tag} fail on the tables of this commit, so that it could not run
beside the new release, nor after it is taken back. Take two releases over it: add what
is new and keep what {tag} uses; drop that in the release after.
See docs/decisions/0011-persistence.md.
"""


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Check on one kind of database; return the exit code."""
    tag = previous_tag(root)
    if tag is None and is_shallow(root):
        print("A shallow clone may lack the previous release.")
        print("Type: git fetch --unshallow --tags")
        return NOT_CHECKED
    if tag is None:
        print("There is no previous release that has a database.")
        return 0
    with database(*arguments) as url:
        if url is None:
            print("There is no PostgreSQL here; apt install postgresql.")
            return NOT_CHECKED
        return check(root, tag, url)


def previous_tag(root: Path) -> str | None:
    """Name the release before this commit, if it has tests on a database."""
    command = ("describe", "--tags", "--abbrev=0", "--match=v[0-9]*", "HEAD^")
    found = git(root, *command)
    tag = found.stdout.strip()
    if (
        found.returncode
        or git(root, "cat-file", "-e", f"{tag}:tests/postgres.py").returncode
    ):
        return None
    return tag


def is_shallow(root: Path) -> bool:
    """Tell whether a clone lacks the commits before some, and with them their tags."""
    return git(root, "rev-parse", "--is-shallow-repository").stdout.strip() == "true"


@contextmanager
def database(kind: str = "sqlite") -> Iterator[str | None]:
    """Make the tables of this commit, where the kind of database is there."""
    with TemporaryDirectory() as folder:
        if kind == "sqlite":
            yield migrated(f"sqlite:///{folder}/new.db")
        elif found := programs():
            with running_postgres(found) as server:
                server.execute("CREATE DATABASE new")
                yield migrated(server.url("new"))
        else:
            yield None


def migrated(url: str) -> str:
    """Run this commit's migrations."""
    if migrate(settings_of(url)):
        raise SystemExit("this commit's own migrations fail")
    return url


def check(root: Path, tag: str, url: str, tests: Sequence[str] = ()) -> int:
    """Run the tests of a tag on a database that is there; return the exit code."""
    with TemporaryDirectory() as folder:
        tree = Path(folder, tag)
        git(root, "worktree", "add", "--detach", str(tree), tag)
        try:
            command = ("uv", "run", "--frozen", "pytest", *OPTIONS)
            done = subprocess.run(
                [*command, f"--database={url}", *tests],
                check=False,
                cwd=tree,
                env=without_environment(),
                capture_output=True,
                text=True,
            )
        finally:
            git(root, "worktree", "remove", "--force", str(tree))
    if done.returncode:
        print(done.stdout[-5000:], done.stderr[-2000:], ADVICE.format(tag=tag))
        return 1
    print(f"The tests of {tag} pass on the tables of this commit.")
    return 0


def without_environment() -> dict[str, str]:
    """Return the environment without this checkout's own packages."""
    own = ("VIRTUAL_ENV", "PYTHONPATH")
    return {name: it for name, it in clean_environment().items() if name not in own}


def git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git in a checkout."""
    return subprocess.run(
        ["git", *arguments],  # noqa: S607
        check=False,
        cwd=root,
        capture_output=True,
        text=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
