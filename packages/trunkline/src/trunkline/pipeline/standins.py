"""What stands in, on this machine, for what only GitHub has. Pure.

Everything here is said in the report of a run: nothing that did not run passes for
something that did.
"""

import shlex
from collections.abc import Collection
from enum import Enum

from trunkline.errors import UsageError


class StandIn(Enum):
    """What is done for an action; the value is what the report says."""

    CHECKOUT = "a clean clone of the commit"
    UV = "the uv of this machine"
    BUILDER = "the builder of this machine"
    LOGIN = "not run here: the registry is asked as this machine is logged in"
    ATTEST = "not run here: it signs as a workflow of GitHub"
    SCAN = "not run here: it fetches a database of vulnerabilities"
    SKIPPED = "not run here: --skip"


ACTIONS = {
    "actions/checkout": StandIn.CHECKOUT,
    "astral-sh/setup-uv": StandIn.UV,
    "docker/setup-buildx-action": StandIn.BUILDER,
    "docker/login-action": StandIn.LOGIN,
    "actions/attest": StandIn.ATTEST,
    "anchore/scan-action": StandIn.SCAN,
}
NOT_RUN = frozenset({StandIn.LOGIN, StandIn.ATTEST, StandIn.SCAN, StandIn.SKIPPED})
# Commands that speak to GitHub, by how they begin.
_GITHUB = (("gh",), ("uv", "run", "trunkline", "github-release"))
NEEDS_TOKEN = "not run here: it asks GitHub; with GITHUB_TOKEN set it runs"  # noqa: S105


def is_local(uses: str) -> bool:
    """Whether an action is one of this repository."""
    return uses.startswith("./")


def stand_in(uses: str, *, skipped: Collection[str] = ()) -> StandIn:
    """Find what stands in for an action; raises UsageError where nothing does."""
    name = uses.partition("@")[0]
    if name in skipped:
        return StandIn.SKIPPED
    found = ACTIONS.get(name)
    if found is None:
        raise UsageError(
            f"nothing stands in for the action `{name}` on this machine; "
            f"expected one of {', '.join(ACTIONS)}, or one of this repository\n"
            f"  type next: the same with --skip {name}"
        )
    return found


def asks_github(command: str) -> bool:
    """Whether a step's command speaks to GitHub, so that it wants a token."""
    for line in command.splitlines():
        try:
            words = tuple(shlex.split(line, comments=True))
        except ValueError:
            continue
        if any(words[: len(start)] == start for start in _GITHUB):
            return True
    return False
