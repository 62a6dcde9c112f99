"""A machine in memory that can lose its deployer, or its engine, at any moment."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import cast

from trunkline.deploy.databases import Databases
from trunkline.deploy.journal import DeployJournal
from trunkline.deploy.operation import Candidate, Instance, Operation
from trunkline.deploy.preflight import DatabasePlan
from trunkline.deploy.proxy import LiveFile
from trunkline.deploy.runner import Deployer
from trunkline.deploy.variables import Variables
from trunkline.errors import FailedError
from trunkline.process import Completed


class Killed(BaseException):
    """The deployer was killed."""


@dataclass
class World:
    """An engine and a switch.

    `left` calls are made before the deployer is killed, and `answers` are given before
    the engine goes away.
    """

    file: Path
    left: int | None = None
    answers: int | None = None
    live: str | None = None
    instances: dict[str, Instance] = field(default_factory=dict)
    sick: set[str] = field(default_factory=set)
    fails: str = ""
    failure: type[Exception] = FailedError
    clock: float = 0.0
    migrates: bool = True
    outages: int = 0
    decider: str = ""
    ports: Iterator[int] = field(default_factory=lambda: count(9000))
    names: Iterator[int] = field(default_factory=count)

    def call(self, step: str) -> None:
        """Do one thing, after which a client asks the service for something."""
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Killed
        if step and step == self.fails:
            raise self.failure(f"{step} failed")

    def asked(self, step: str = "") -> None:
        """Answer as the engine."""
        if self.answers is not None:
            self.answers -= 1
            if self.answers < 0:
                raise FailedError("it does not answer\n  type next: look")
        self.call(step)

    def request(self) -> None:
        served = [i for i in self.instances.values() if i.address == self.live]
        self.outages += not served or served[0].commit in self.sick

    def running(self) -> tuple[Instance, ...]:
        self.asked()
        return tuple(self.instances.values())

    @property
    def variables(self) -> Variables:
        return Variables(self.file.parent, self.file.parent, ())

    def ask(
        self, candidate: Candidate, operation: str, argv: Sequence[str]
    ) -> Completed:
        return Completed(tuple(argv), 2, b"", b"it is too old to know")

    def pull(self, candidate: Candidate) -> None:
        self.asked("pull")

    def prepare(self, operation: Operation, live: Instance | None) -> DatabasePlan:
        return DatabasePlan([], migrates=self.migrates)

    def migrate(self, operation: Operation) -> None:
        self.asked("migrate")

    def start(self, candidate: Candidate, operation: str) -> Instance:
        self.asked("start")
        new = Instance(operation, candidate.commit, f"127.0.0.1:{next(self.ports)}")
        self.instances[operation] = new
        self.request()
        self.asked()  # Killed when it had begun.
        return new

    def stop(self, instance: Instance) -> None:
        self.asked("stop")
        self.instances.pop(instance.operation, None)
        self.request()
        self.asked()

    def logs(self, operation: str) -> str:
        self.asked()
        return "its last words"

    def ensure_proxy(self) -> None:
        self.asked()

    def settle(self, instance: Instance) -> None:
        self.asked()

    def remove(self, operation: str) -> None:
        self.asked()

    def clean(self, kept: Sequence[Operation]) -> None:
        self.asked()

    def read(self) -> str | None:
        self.call("")
        return self.live

    def write(self, address: str | None) -> None:
        self.call("switch")
        self.live = address
        self.request()
        self.call("")

    def well(self, instance: Instance) -> bool:
        try:
            self.asked()
        except FailedError:
            return False
        return instance.operation in self.instances and instance.commit not in self.sick

    @contextmanager
    def deciding(self, who: str = "") -> Iterator[None]:
        self.call("")
        self.decider = who or self.decider
        yield

    def decided_by(self) -> str:
        return self.decider

    def sleep(self, seconds: float) -> None:
        self.clock += seconds

    @property
    def deployer(self) -> Deployer:
        return Deployer(
            engine=self,
            switch=cast("LiveFile", self),
            databases=cast("Databases", self),
            journal=DeployJournal(self.file),
            window=3,
            say=lambda line: None,
            pause=self.sleep,
            now=lambda: self.clock,
            ticks=lambda: self.clock,
        )

    def deploy(self, commit: str, *, took_back: bool = False) -> Instance:
        operation = Operation(
            name=f"op-{next(self.names)}",
            candidate=Candidate(commit, commit),
            by="ana",
            at=self.clock,
            took_back=took_back,
        )
        return self.deployer.deploy(operation)
