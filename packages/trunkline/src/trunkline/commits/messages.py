"""`trunkline commits`: check the messages of a pull request and its title."""

import os
import shlex
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from trunkline.commits.conventional import shown, without_comments
from trunkline.commits.history import read_commits, resolve_range
from trunkline.commits.rules import Problem, problems
from trunkline.errors import UsageError
from trunkline.git import Repository
from trunkline.options import JSON, command, option


@dataclass(frozen=True, slots=True)
class Message:
    """One message to check: where it is from, and the command that fixes it there."""

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
    option("--title-file", metavar="FILE", help="check the title in this file"),
    option("--title-env", metavar="NAME", help="check the title in this variable"),
    option(
        "--message-file",
        metavar="FILE",
        help="check a message as git's commit-msg hook receives it",
    ),
    JSON,
)
def check_commits(
    *,
    revisions: str | None,
    title_file: str | None,
    title_env: str | None,
    message_file: str | None,
    json: bool,
) -> int:
    """Check everything that was asked for; without a request, the commits of HEAD that
    the trunk does not contain.

    Text from outside comes from a file or the environment, so that no shell ever
    reads it. A file named `-` is standard input.
    """
    messages: list[Message] = []
    if title_file:
        messages.append(title(read_text(title_file)))
    if title_env:
        messages.append(title(read_variable(title_env)))
    if message_file:
        messages.append(message(message_file))
    if revisions or not messages:
        messages.extend(of_range(revisions))
    found = [(it, problem) for it in messages for problem in problems(it.text)]
    if json:
        print_json(len(messages), found)
    else:
        print_problems(len(messages), found)
    return 1 if found else 0


def title(text: str) -> Message:
    """Take a text as the title of a pull request."""
    return Message("title", text.strip(), "edit the title of the pull request")


def message(file: str) -> Message:
    """Take a file as `git commit` hands it to its commit-msg hook."""
    name = shlex.quote(file)
    text = without_comments(read_text(file)).strip()
    return Message("message", text, f"git commit --edit --file {name}")


def of_range(revisions: str | None) -> list[Message]:
    """Read the messages of a range."""
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


def own_commits(repository: Repository) -> str:
    """Name the range of commits that the trunk does not contain."""
    from trunkline.settings import read_settings  # noqa: PLC0415 - TOML takes time

    settings = read_settings(repository.root / "pyproject.toml")
    names = {
        f"refs/remotes/{settings.remote}/{settings.trunk}",
        f"refs/heads/{settings.trunk}",
    }
    here = sorted(repository.refs(*names), reverse=True)  # The remote's first.
    if not here:
        raise UsageError(
            f"neither {settings.remote}/{settings.trunk} nor {settings.trunk} is here; "
            "expected --range A..B, or "
            f"`git fetch {settings.remote} {settings.trunk}` before"
        )
    return f"{here[0]}..HEAD"


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
            f"the environment has no variable {name}; expected the title in it"
        )
    return value


def print_problems(checked: int, found: list[tuple[Message, Problem]]) -> None:
    """Say which message, what was found, what was expected and what would pass."""
    if not found:
        print(f"{checked} checked: {'every message passes' if checked else 'nothing'}")
        return
    for it, problem in found:
        example = problem.example.replace("\n", "\n             ")
        print(
            f"trunkline: {it.source} refused by rule `{problem.rule}`\n"
            f"  found:     {problem.found}\n"
            f"  expected:  {problem.expected}\n"
            f"  example:   {example}\n"
            f"  type next: {it.fix}",
            file=sys.stderr,
        )
    wrong = len({it.source for it, _ in found})
    print(f"{checked} checked: {wrong} to fix", file=sys.stderr)


def print_json(checked: int, found: list[tuple[Message, Problem]]) -> None:
    """Print the same for a machine."""
    import json  # noqa: PLC0415 - not needed by the hook

    rows = [
        {
            "source": it.source,
            "subject": shown(it.text.partition("\n")[0]),
            **asdict(problem),
            "fix": it.fix,
        }
        for it, problem in found
    ]
    print(json.dumps({"checked": checked, "problems": rows}, indent=2))
