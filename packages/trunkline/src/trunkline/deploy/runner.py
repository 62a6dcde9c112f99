"""Carry out one deploy, or finish one that was interrupted, on any engine."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from trunkline.deploy.engines.protocol import InstanceEngine, LiveAddress
from trunkline.deploy.journal import DeployJournal
from trunkline.deploy.operation import (
    DeployStep,
    Facts,
    Instance,
    Operation,
    Outcome,
    Recovery,
    RecoveryVerdict,
    interrupted,
    recovery,
)
from trunkline.errors import FailedError, Refusal


@dataclass(frozen=True, slots=True)
class Deployer:
    """Deploys to one environment; the caller holds its lock."""

    engine: InstanceEngine
    switch: LiveAddress
    journal: DeployJournal
    window: float
    say: Callable[[str], None]
    patience: float = 60.0
    pause: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    ticks: Callable[[], float] = field(default=time.monotonic)

    def facts(self) -> Facts:
        """Ask the engine, the live file and each instance."""
        running = self.engine.running()
        well = frozenset(one.address for one in running if self.engine.well(one))
        return Facts(self.switch.read(), running, well)

    def deploy(self, operation: Operation) -> Instance:
        """Put a candidate on; raises FailedError with what serves instead."""
        began = self.ticks()
        self.journal.begin(operation)
        old = self.facts()
        before = old.at(old.live)
        try:
            new = self._bring_up(operation)
        except FailedError as error:
            reason = self._withdraw(operation, before, error)
            self._end(operation, Outcome.FAILED, reason, began)
            raise FailedError(reason) from error
        self._step(operation, DeployStep.SWITCH)
        self.switch.write(new.address)
        self._step(operation, DeployStep.WATCH)
        if not self._stays_well(new):
            sick = FailedError(f"turned sick within {self.window:g} seconds")
            reason = self._withdraw(operation, before, sick)
            self._end(operation, Outcome.RESTORED, reason, began)
            raise FailedError(reason)
        self._step(operation, DeployStep.STOP)
        self.engine.settle(new)
        for one in self.engine.running():
            if one != new:
                self.engine.stop(one)
        self._end(operation, Outcome.LIVE, "", began)
        return new

    def recover(self) -> Recovery | None:
        """Finish an interrupted operation by the facts; None if there is none."""
        left = interrupted(self.journal.operations())
        if left is None:
            return None
        found = recovery(self.facts(), left.name)
        if found.verdict is RecoveryVerdict.NEEDS_HUMAN:
            return found
        if found.serve and self.switch.read() != found.serve.address:
            self.switch.write(found.serve.address)
        if found.verdict is RecoveryVerdict.ADOPT and found.serve:
            old = next((one for one in found.stop if self.engine.well(one)), None)
            if not self._stays_well(found.serve):
                error = FailedError("was adopted and turned sick")
                reason = self._withdraw(left, old, error)
                self.journal.end(left.name, Outcome.RESTORED, self.now(), reason=reason)
                return Recovery(RecoveryVerdict.RESTORE, old, (), reason)
            self.engine.settle(found.serve)
        for one in found.stop:
            self.engine.stop(one)
        adopted = found.verdict is RecoveryVerdict.ADOPT
        if not adopted:
            self.engine.remove(left.name)
        ending = Outcome.LIVE if adopted else Outcome.FAILED
        reason = f"interrupted; {found.why}"
        self.journal.end(left.name, ending, self.now(), reason=reason)
        return found

    def _bring_up(self, operation: Operation) -> Instance:
        candidate = operation.candidate
        self._step(operation, DeployStep.PULL)
        self.engine.pull(candidate)
        self._step(operation, DeployStep.MIGRATE)
        self.engine.migrate(candidate, operation.name)
        self._step(operation, DeployStep.START)
        new = self.engine.start(candidate, operation.name)
        self._step(operation, DeployStep.CHECK)
        end = self.ticks() + self.patience
        while not self.engine.well(new):
            if new not in self.engine.running():
                raise FailedError("ended before it was ready")
            if self.ticks() > end:
                raise FailedError(
                    f"was not ready, or named another commit, for {self.patience:g} "
                    "seconds"
                )
            self.pause(0.2)
        return new

    def _stays_well(self, new: Instance) -> bool:
        """Watch for the window; three bad answers in a row end it."""
        end = self.ticks() + self.window
        bad = 0
        while self.ticks() < end:
            bad = 0 if self.engine.well(new) else bad + 1
            if bad == 3:  # noqa: PLR2004 - one slow answer is no sickness
                return False
            self.pause(min(1.0, self.window))
        return self.engine.well(new)

    def _withdraw(
        self, operation: Operation, before: Instance | None, error: FailedError
    ) -> str:
        """Let the old instance serve, remove the new one, and return what to say."""
        if self.switch.read() != (before.address if before else None):
            self.switch.write(before.address if before else None)
        said = self.engine.logs(operation.name)
        for one in self.engine.running():
            if one.operation == operation.name:
                self.engine.stop(one)
        self.engine.remove(operation.name)
        still = f"{before.commit[:12]} still serves" if before else "nothing serves"
        last = f"\nits last lines:\n{said}" if said else ""
        return f"{operation.candidate.ref} {error}; {still}{last}"

    def _step(self, operation: Operation, step: DeployStep) -> None:
        self.journal.intend(operation.name, step, self.now())
        self.say(step.value)

    def _end(
        self, operation: Operation, ending: Outcome, reason: str, began: float
    ) -> None:
        seconds = self.ticks() - began
        self.journal.end(
            operation.name, ending, self.now(), reason=reason, seconds=seconds
        )


def require_no_human(found: Recovery | None, facts: Facts, live: Path) -> None:
    """Refuse to go on where the facts are contradictory."""
    if found is None or found.verdict is not RecoveryVerdict.NEEDS_HUMAN:
        return
    running = ", ".join(f"{one.commit[:12]} at {one.address}" for one in facts.running)
    raise Refusal(
        rule="needs-a-human",
        found=f"{found.why}; live: {facts.live}; running: {running or 'nothing'}",
        expected=f"{live} with the address of a running instance",
        fix=f"echo HOST:PORT > {live}  (or rm it), then trunkline status",
    )
