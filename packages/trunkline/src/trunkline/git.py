"""A small view of one git repository; uses plumbing commands and parses no messages."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from trunkline import process
from trunkline.errors import Refusal, UsageError
from trunkline.process import Completed, ProcessError
from trunkline.settings import Settings

HEADS = "refs/heads/"
TAGS = "refs/tags/"
# Never wait for a password prompt or an editor that nobody sees.
QUIET = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}

# Settings of a user that change what git prints, and what they must be.
SETTINGS = {
    "color.ui": "false",
    "core.commentChar": "#",
    "diff.mnemonicPrefix": "false",
    "diff.noprefix": "false",
    "i18n.logOutputEncoding": "UTF-8",
    "log.showSignature": "false",
}


def overruled() -> dict[str, str]:
    """Return the environment in which a git command finds these settings."""
    first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    found = {"GIT_CONFIG_COUNT": str(first + len(SETTINGS))}
    for number, (key, value) in enumerate(SETTINGS.items(), first):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return found


@dataclass(frozen=True, slots=True)
class Object:
    """One answer of `git cat-file --batch`."""

    oid: str
    kind: str
    content: bytes


def lines(text: str) -> list[str]:
    """Split what git printed: names and subjects may have Unicode's line separators."""
    return text.removesuffix("\n").split("\n") if text else []


class Repository:
    """A git repository and the commands that run in the root of its working tree."""

    # What git is told before any command.
    options: tuple[str, ...] = ()

    def __init__(
        self, root: Path, *, git_dir: Path, common_dir: Path, shallow: bool
    ) -> None:
        self.root = root
        self.git_dir = git_dir
        self.common_dir = common_dir
        # Where new files are written before they replace those of the working tree.
        self.staging = git_dir / "trunkline"
        self.shallow = shallow

    @classmethod
    def find(cls, start: Path | None = None) -> "Repository":
        """Find the repository around `start`; raises UsageError where there is none."""
        asked = ("--show-toplevel", "--absolute-git-dir", "--git-common-dir")
        argv = ["git", "rev-parse", *asked, "--is-shallow-repository"]
        answer = process.run(argv, cwd=start, env=QUIET)
        found = lines(answer.text)
        if not answer.ok or len(found) != len(("root", "own", "common", "shallow")):
            raise UsageError(
                f"{start or Path.cwd()} is not in a git repository; "
                "expected to run inside the project's repository\n"
                f"  git says:  {answer.complaint}"
            )
        # The common folder may be printed relative to where git ran.
        common = Path(start or Path.cwd(), found[2])
        return cls(
            Path(found[0]),
            git_dir=Path(found[1]),
            common_dir=common,
            shallow=found[3] == "true",
        )

    def require_history(self, remote: str) -> None:
        """Refuse a shallow clone, which cannot tell which of two commits is older."""
        if self.shallow:
            raise Refusal(
                rule="shallow",
                found="a shallow clone, which lacks branches and tags",
                expected="the whole history (in a workflow: fetch-depth: 0)",
                fix=f"git fetch --unshallow --tags {remote}",
            )

    def run(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        timeout: float = 60,
        check: bool = False,
    ) -> Completed:
        """Run git in the root of the working tree and capture its output."""
        return process.run(
            ["git", *self.options, *arguments],
            cwd=self.root,
            env=QUIET | overruled(),
            stdin=stdin,
            timeout=timeout,
            check=check,
        )

    def read(self, *arguments: str) -> str:
        """Run git, which must succeed, and return its output."""
        return self.run(*arguments, check=True).text

    def names(self, *arguments: str) -> list[str]:
        """Run git, which must print names that end with NUL."""
        return self.read(*arguments).split("\0")[:-1]

    def find_commit(self, name: str) -> str | None:
        """Return the commit that a name stands for; None if there is none here."""
        asked = ("rev-parse", "--verify", "-q", "--end-of-options")
        answer = self.run(*asked, f"{name}^{{commit}}")
        return answer.text if answer.ok else None

    def fetch(self, settings: Settings, refs: Iterable[str]) -> None:
        """Fetch what refs of the remote hold, and create or move no ref here."""
        # There may be more of them than an argument list takes.
        stdin = "".join(f"{ref}\n" for ref in refs).encode()
        options = ("-q", "--no-tags", "--no-write-fetch-head", "--stdin")
        command = ("fetch", *options, settings.remote)
        self.run(*command, stdin=stdin, timeout=settings.timeout, check=True)

    def objects(self, names: Sequence[str], *links: str) -> dict[str, Object | None]:
        """Look up objects, such as `HEAD:uv.lock`, in one process; None if absent.

        `links` may be `--follow-symlinks`, with which a link is the file that it names.
        """
        asked = "".join(f"{name}\n" for name in names).encode()
        answer = self.run("cat-file", "--batch", *links, stdin=asked, check=True).stdout
        found: dict[str, Object | None] = {}
        position = 0
        for name in names:
            end = answer.index(b"\n", position)
            header = answer[position:end].decode("utf-8", "surrogateescape")
            position = end + 1
            parts = header.rsplit(" ", 2)
            found[name] = None
            if not parts[-1].isdigit():  # Missing or ambiguous.
                continue
            end = position + int(parts[-1])
            if len(parts) == len(("oid", "kind", "size")):  # Else a link to nothing.
                found[name] = Object(parts[0], parts[1], answer[position:end])
            position = end + 1
        return found

    def refs(self, *patterns: str) -> dict[str, str]:
        """Map the local refs that match the patterns to their object ids."""
        text = self.read("for-each-ref", "--format=%(objectname) %(refname)", *patterns)
        return {name: oid for oid, name in (one.split(" ", 1) for one in lines(text))}

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether the first commit is contained in the second; False if unknown."""
        return self.run("merge-base", "--is-ancestor", ancestor, descendant).ok

    def remote_refs(
        self, settings: Settings, patterns: Iterable[str]
    ) -> dict[str, str]:
        """Ask the remote for refs by full name; raises Refusal if it does not answer.

        An annotated tag appears twice: the second entry has `^{}` after the name and
        the id of the tagged commit.
        """
        command = ("ls-remote", "-q", settings.remote, *patterns)
        try:
            answer = self.run(*command, timeout=settings.timeout)
            problem = "" if answer.ok else answer.complaint
        except ProcessError as error:
            problem = str(error)
        if problem:
            raise Refusal(
                rule="remote",
                found=f"{settings.remote} of {self.root} did not answer: {problem}",
                expected="its branches and tags",
                fix=f"git -C {self.root} ls-remote {settings.remote}",
            )
        rows = (line.split("\t", 1) for line in lines(answer.text))
        return {name: oid for oid, name in rows}
