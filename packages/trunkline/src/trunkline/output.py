"""Messages for people, on standard error so that they do not mix with results."""

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from trunkline.errors import FailedError, Refusal, UsageError


def say(line: str) -> None:
    """Print one line."""
    print(line, file=sys.stderr)


def shown_time(seconds: float) -> str:
    """Format a Unix time as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something changes, unless it was answered by `yes` already."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            f"{question} There is no terminal to ask on\n"
            "  type next: the same command with --yes"
        )
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:  # Ctrl-D is no.
        answer = ""
    if answer.strip().lower() not in {"y", "yes"}:
        raise FailedError("nothing was changed")


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line for each row, with the cells of each column below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def refuse(found: Sequence[Refusal]) -> int:
    """Print at least one refusal and return the exit code."""
    for refusal in found:
        say(f"trunkline: {refusal}")
    return found[0].exit_code


def write_outputs(values: Mapping[str, str]) -> None:
    """Pass single-line values to the later steps of a workflow job."""
    file = os.environ.get("GITHUB_OUTPUT")
    if not file:
        raise UsageError(
            "--github-output needs $GITHUB_OUTPUT, which GitHub Actions sets\n"
            "  type next: the same command with GITHUB_OUTPUT=/dev/stdout before it"
        )
    with Path(file).open("a", encoding="utf-8") as output:
        output.writelines(f"{name}={value}\n" for name, value in values.items())
