"""What people read: on standard error, so that it does not mix with results."""

import sys
from collections.abc import Sequence

from trunkline.errors import Refusal


def say(line: str) -> None:
    """Print one line."""
    print(line, file=sys.stderr)


def refuse(found: Sequence[Refusal]) -> int:
    """Print refusals, one at least, and return their exit code."""
    for refusal in found:
        say(f"trunkline: {refusal}")
    return found[0].exit_code
