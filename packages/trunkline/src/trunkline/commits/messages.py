"""`trunkline commits`: check commit messages and the title of a pull request."""

import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from trunkline import process
from trunkline.commits.conventional import problems
from trunkline.errors import UsageError
from trunkline.options import command, option
from trunkline.output import say

_SCISSORS = "------------------------ >8 ------------------------"


@dataclass(frozen=True, slots=True)
class Message:
    """A message to check, where it comes from, and the command that changes it."""

    source: str
    text: str
    fix: str


@command(
    option(
        "--range",
        dest="revisions",
        metavar="A..B",
        help="check the commits of B that A does not contain "
        "(default: those of HEAD that the trunk does not contain)",
    ),
    option("--title-env", metavar="NAME", help="check the title in this variable"),
    option(
        "--message-file",
        metavar="FILE",
        help="check a message as git's commit-msg hook receives it",
    ),
)
def check_commits(
    *, revisions: str | None, title_env: str | None, message_file: str | None
) -> int:
    """Check what was asked for; by default HEAD's commits that the trunk lacks.

    A title is read from the environment, so that it never passes through a shell.
    """
    messages: list[Message] = []
    if title_env:
        title = read_variable(title_env).strip()
        messages.append(Message("title", title, "edit the title of the pull request"))
    if message_file:
        text = without_comments(read_text(message_file)).strip()
        edit = f"git commit --edit --file {shlex.quote(message_file)}"
        messages.append(Message("message", text, edit))
    if revisions or not messages:
        messages.extend(of_range(revisions))
    wrong = 0
    for it in messages:
        found = list(problems(it.text, fix=it.fix))
        for refusal in found:
            say(f"trunkline: {it.source} {refusal}")
        wrong += bool(found)
    checked = len(messages)
    if wrong:
        say(f"{checked} checked: {wrong} to fix")
        return 1
    print(f"{checked} checked: {'every message passes' if checked else 'nothing'}")
    return 0


def of_range(revisions: str | None) -> list[Message]:
    """Read the messages of a range."""
    # The commit-msg hook, which does not need git, starts faster without it.
    from trunkline.commits.history import own_commits, read_commits, resolve_range  # noqa: PLC0415
    from trunkline.git import Repository  # noqa: PLC0415

    repository = Repository.find()
    start, end = resolve_range(repository, revisions or own_commits(repository))
    head = repository.read("rev-parse", "HEAD")
    return [
        Message(
            f"commit {commit.hash[:12]}",
            commit.message,
            "git commit --amend"
            if commit.hash == head
            else f"git rebase -i {commit.hash[:12]}^, and `reword` it",
        )
        for commit in read_commits(repository, f"^{start}", end)
    ]


def without_comments(text: str) -> str:
    """Remove from a message file what git removes: comments and a verbose diff."""
    # Only git knows how a comment starts: core.commentChar.
    written, diff, _ = text.partition(_SCISSORS)
    written = written.rpartition("\n")[0] if diff else written
    strip = ("git", "stripspace", "--strip-comments")
    return process.run(strip, stdin=written.encode(), check=True).text


def read_text(file: str) -> str:
    """Read a text file, or standard input; raises UsageError if it cannot be read."""
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    return data.decode("utf-8", "replace")


def read_variable(name: str) -> str:
    """Read an environment variable; raises UsageError if it is not set."""
    value = os.environ.get(name)
    if value is None:
        raise UsageError(
            f"the environment variable {name} is not set; expected the title in it"
        )
    return value
