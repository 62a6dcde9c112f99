"""What a deploy needs from an engine."""

from collections.abc import Sequence
from typing import Protocol

from trunkline.deploy.operation import Candidate, Instance, Operation
from trunkline.deploy.variables import Variables
from trunkline.process import Completed


class InstanceEngine(Protocol):
    """Runs instances. Every method can be repeated after an interruption."""

    @property
    def variables(self) -> Variables:
        """The variables of each operation."""

    def running(self) -> tuple[Instance, ...]:
        """Return all instances of the environment that run now."""

    def well(self, instance: Instance) -> bool:
        """Whether an instance is ready and reports the commit it was started from."""

    def ensure_proxy(self) -> None:
        """Start what the environment needs besides its instances, unless running."""

    def pull(self, candidate: Candidate) -> None:
        """Fetch what the candidate needs to run."""

    def ask(
        self, candidate: Candidate, operation: str, argv: Sequence[str]
    ) -> Completed:
        """Run a command of the candidate to its end, with the operation's variables.

        One that outlives its deploy, such as a migration, is waited for by the next.
        """

    def start(self, candidate: Candidate, operation: str) -> Instance:
        """Start an instance beside the others, without waiting until it is ready."""

    def settle(self, instance: Instance) -> None:
        """Keep an instance that survived its window across restarts of the engine."""

    def stop(self, instance: Instance) -> None:
        """Stop an instance gracefully."""

    def logs(self, operation: str) -> str:
        """Return the last lines of an instance's log."""

    def remove(self, operation: str) -> None:
        """Remove whatever a stopped instance left behind."""

    def clean(self, kept: Sequence[Operation]) -> None:
        """Remove what neither a running instance nor an operation in `kept` needs."""
