"""What a deploy needs of an engine, and of the switch."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from trunkline.deploy.operation import Candidate, Instance, Operation
from trunkline.deploy.variables import Variables
from trunkline.process import Completed


class InstanceEngine(Protocol):
    """What runs instances; each method may be repeated after an interruption."""

    @property
    def variables(self) -> Variables:
        """The variables of each operation."""

    def running(self) -> tuple[Instance, ...]:
        """Return all instances of the environment that run now."""

    def well(self, instance: Instance) -> bool:
        """Whether an instance is ready and names the commit it was started from."""

    def ensure_proxy(self) -> None:
        """Start what the environment needs beside its instances, unless it runs."""

    def pull(self, candidate: Candidate) -> None:
        """Bring what is to run to this machine."""

    def ask(
        self, candidate: Candidate, operation: str, argv: Sequence[str], name: str = ""
    ) -> Completed:
        """Run a program of the candidate, such as its command or python, to its end.

        As it would serve: in the same folder, with the operation's variables. One with
        a name goes on without its deploy, and the next waits for it.
        """

    def start(self, candidate: Candidate, operation: str) -> Instance:
        """Start an instance beside the others and return without waiting for it."""

    def settle(self, instance: Instance) -> None:
        """Let an instance that lived through its window survive a restart."""

    def stop(self, instance: Instance) -> None:
        """Let an instance finish its requests, and end it."""

    def logs(self, operation: str) -> str:
        """Return the last lines that an instance wrote."""

    def remove(self, operation: str) -> None:
        """Remove what an instance that has ended left running or in the way."""

    def clean(self, kept: Sequence[Operation]) -> None:
        """Remove what no operation in `kept` or running instance needs."""


class LiveAddress(Protocol):
    """The one place that says which address is live."""

    def read(self) -> str | None:
        """Return the live address, or None."""

    def write(self, address: str | None) -> None:
        """Make an address live at once, or none."""

    def deciding(self, who: str = "") -> AbstractContextManager[None]:
        """Let nobody else take back, or end a window, meanwhile."""

    def decided_by(self) -> str:
        """Return who took back last."""
