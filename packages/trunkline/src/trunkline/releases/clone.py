"""A clone whose release lock is held."""

from dataclasses import dataclass

from trunkline import process
from trunkline.git import QUIET, Repository
from trunkline.process import Completed
from trunkline.settings import Settings

# Seconds: git's hooks may run a whole test suite.
HOOKS_TIMEOUT = 3600


@dataclass(frozen=True, slots=True)
class LockedClone:
    """The clone, and the descriptor of the lock, which its programs inherit.

    A program that outlives a killed run then keeps the next run waiting.
    """

    repository: Repository
    settings: Settings
    lock: int

    def git(self, *arguments: str, stdin: bytes | None = None, **env: str) -> Completed:
        """Run a git command that may run hooks, and capture what it prints."""
        return process.run(
            ["git", *arguments],
            cwd=self.repository.root,
            env={**QUIET, "GIT_EDITOR": "true", **env},
            stdin=stdin,
            timeout=HOOKS_TIMEOUT,
            inherit=(self.lock,),
        )
