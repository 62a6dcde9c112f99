"""What people read: on standard error, so that it does not mix with results."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from trunkline.errors import Refusal, UsageError


def say(line: str) -> None:
    """Print one line."""
    print(line, file=sys.stderr)


def refuse(found: Sequence[Refusal]) -> int:
    """Print refusals, one at least, and return their exit code."""
    for refusal in found:
        say(f"trunkline: {refusal}")
    return found[0].exit_code


def write_outputs(values: Mapping[str, str]) -> None:
    """Hand values, each of one line, to the next steps of a workflow's job."""
    file = os.environ.get("GITHUB_OUTPUT")
    if not file:
        raise UsageError(
            "--github-output needs the variable GITHUB_OUTPUT, which a workflow sets\n"
            "  type next: GITHUB_OUTPUT=/dev/stdout and the same command"
        )
    with Path(file).open("a", encoding="utf-8") as output:
        output.writelines(f"{name}={value}\n" for name, value in values.items())
