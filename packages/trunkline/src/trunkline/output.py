"""What people read: on standard error, so that it does not mix with results."""

import os
import sys
from collections.abc import Sequence
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


def write_output(name: str, value: str) -> None:
    """Set an output of the present step; `value` is one line.

    Raises UsageError outside of a workflow.
    """
    path = os.environ.get("GITHUB_OUTPUT")
    if not path:
        raise UsageError(
            "--github-output was given and GITHUB_OUTPUT is not set; "
            "expected to run in a step of a workflow"
        )
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{name}={value}\n")
