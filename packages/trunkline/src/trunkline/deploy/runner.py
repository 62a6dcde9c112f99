"""Run a deploy, or finish an interrupted one, on any engine."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

from trunkline.deploy.databases import Databases
from trunkline.deploy.engines.protocol import InstanceEngine
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
    seconds_left,
)
from trunkline.deploy.proxy import LiveFile
from trunkline.errors import FailedError, Refusal, TrunklineError


@dataclass(frozen=True, slots=True)
class Deployer:
    """Deploys to one environment, whose lock the caller holds."""

    engine: InstanceEngine
    switch: LiveFile
    journal: DeployJournal
    window: float
    say: Callable[[str], None]
    databases: Databases
    patience: float = 60.0
    pause: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    ticks: Callable[[], float] = field(default=time.monotonic)

    def facts(self) -> Facts:
        """Read the live address, and ask the engine and each instance."""
        running = self.engine.running()
        well = frozenset(one.address for one in running if self.engine.well(one))
        return Facts(self.switch.read(), running, well)

    def live(self) -> Instance | None:
        """Return the live instance, if it is running."""
        facts = Facts(self.switch.read(), self.engine.running(), frozenset())
        return facts.at(facts.live)

    def deploy(self, operation: Operation) -> Instance:
        """Deploy a candidate; raises FailedError, which says what serves instead.

        Ctrl-C also takes the candidate back, until the old instance is stopped. Refusal
        is raised if the engine stops answering: the next command finishes the deploy.
        """
        began = self.ticks()
        if usual := seconds_left(self.journal.operations()):
            self.say(f"about {usual:.0f} s, like the last ones")
        before = self.live()
        self.journal.begin(operation)
        ending = Outcome.FAILED
        try:
            new = self._bring_up(operation, before)
            self._step(operation, DeployStep.SWITCH)
            self.switch.write(new.address)
            ending = Outcome.RESTORED
            self._watch(operation, new)
        except (TrunklineError, OSError, KeyboardInterrupt) as error:
            why = str(error) or "was interrupted"
            with self._or_unfinished(f"{operation.candidate.ref} {why}", before):
                reason = self._withdraw(operation, before, why)
            # If the disk is full, the next command records the ending.
            with suppress(FailedError):
                self._end(operation, ending, reason, self.ticks() - began)
            if isinstance(error, FailedError):
                raise FailedError(reason) from error
            if not isinstance(error, TrunklineError):
                self.say(reason)
            raise
        with self._or_unfinished(f"{operation.candidate.ref} was put on", new):
            self.engine.settle(new)
            for one in self.engine.running():
                if one != new:
                    self.engine.stop(one)
        self._end(operation, Outcome.LIVE, "", self.ticks() - began)
        return new

    @contextmanager
    def _or_unfinished(self, happened: str, serving: Instance | None) -> Iterator[None]:
        """Turn a failure to finish into a Refusal that says what is live, if known."""
        try:
            yield
        except (TrunklineError, OSError) as error:
            known = "what is live cannot be asked either"
            # In a cluster, the engine is also the switch.
            with suppress(TrunklineError):
                live = self.switch.read()
                ours = serving if serving and serving.address == live else None
                known = f"{ours.commit[:12] if ours else live or 'nothing'} is live"
            reason = error.found if isinstance(error, Refusal) else str(error)
            raise Refusal(
                rule="unfinished",
                found=f"{happened}; then {reason.partition(chr(10))[0]}; {known}",
                expected="an answer from the engine, which alone knows what serves",
                fix="the same command  (once it answers; it ends this deploy first)",
            ) from error

    def recover(self) -> Recovery | None:
        """Finish an interrupted operation according to the facts; None without one."""
        left = interrupted(self.journal.operations())
        if left is None and (self.live() or not self.engine.running()):
            return None
        facts = self.facts()
        found = recovery(facts, left.name if left else "")
        if found.verdict is RecoveryVerdict.NEEDS_HUMAN:
            return found
        address = found.serve.address if found.serve else None
        if self.switch.read() != address:
            self.switch.write(address)
        if left and found.verdict is RecoveryVerdict.ADOPT and found.serve:
            old = next((one for one in found.stop if self.engine.well(one)), None)
            if why := self._sickness(found.serve):
                reason = self._withdraw(left, old, f"was adopted; {why}")
                self._end(left, Outcome.RESTORED, reason, self.now() - left.at)
                return Recovery(RecoveryVerdict.RESTORE, old, (), reason)
            self.engine.settle(found.serve)
        for one in found.stop:
            self.engine.stop(one)
        if left:
            adopted = found.verdict is RecoveryVerdict.ADOPT
            if not adopted:
                self.engine.remove(left.name)
            ending = Outcome.LIVE if adopted else Outcome.FAILED
            why = f"interrupted; {found.why}"
            self._end(left, ending, why, self.now() - left.at)
        return found

    def take_back(self, who: str) -> Instance | None:
        """Switch back to the old instance while the new one is in its window.

        The deploy that is watching it, or else the next command, stops it. Takes only
        the switch's lock; returns what serves then, or None if there is no window.
        """
        with self.switch.deciding(who):
            left = interrupted(self.journal.operations())
            if left is None or left.step is not DeployStep.WATCH:
                return None
            running, live = self.engine.running(), self.switch.read()
            new = [one for one in running if one.operation == left.name]
            old = [one for one in running if one not in new and self.engine.well(one)]
            if len(old) != 1 or live not in {one.address for one in new}:
                return None
            self.switch.write(old[0].address)
            return old[0]

    def _bring_up(self, operation: Operation, before: Instance | None) -> Instance:
        candidate = operation.candidate
        self._step(operation, DeployStep.PULL)
        self.engine.pull(candidate)
        self._step(operation, DeployStep.PREFLIGHT)
        plan = self.databases.prepare(operation, before)
        for line in plan.lines:
            self.say(line)
        # An image that is older than the database may not know how to do nothing.
        if plan.migrates:
            self._step(operation, DeployStep.MIGRATE)
            self.databases.migrate(operation)
        self._step(operation, DeployStep.START)
        new = self.engine.start(candidate, operation.name)
        self._step(operation, DeployStep.CHECK)
        end, ready = self.ticks() + self.patience, 0
        while not self.engine.well(new):
            now = next((one for one in self.engine.running() if one == new), None)
            if now is None:
                raise FailedError("ended before it was ready")
            # Only a new maximum is progress: a crashing pod may get ready repeatedly.
            if now.ready > ready:
                end, ready = self.ticks() + self.patience, now.ready
            if self.ticks() > end:
                raise FailedError(
                    f"was not ready, or named another commit, for {self.patience:g} "
                    "seconds"
                )
            self.pause(0.2)
        return new

    def _watch(self, operation: Operation, new: Instance) -> None:
        # Replaces the name of whoever took an earlier deploy back.
        with self.switch.deciding("a change of the file"):
            self._step(operation, DeployStep.WATCH)
        why = self._sickness(new)
        with self.switch.deciding():
            # From the next step on, nobody can switch back without a deploy.
            if why or (why := self._taken(new)):
                raise FailedError(why)
            self._step(operation, DeployStep.STOP)

    def _sickness(self, new: Instance) -> str:
        """Watch for the window; return why the instance has to go, or nothing."""
        end = self.ticks() + self.window
        sick, bad = f"became unhealthy within {self.window:g} seconds", 0
        while self.ticks() < end:
            bad = 0 if self.engine.well(new) else bad + 1
            # One slow answer is not a failure.
            if bad == 3:  # noqa: PLR2004
                return sick
            if taken := self._taken(new):
                return taken
            self.pause(min(0.5 if bad else 1.0, self.window))
        return "" if self.engine.well(new) else sick

    def _taken(self, new: Instance) -> str:
        if self.switch.read() == new.address:
            return ""
        return f"was taken back by {self.switch.decided_by()}"

    def _withdraw(self, operation: Operation, before: Instance | None, why: str) -> str:
        """Let the old instance serve, remove the new one, and return the message."""
        live = self.switch.read()
        stays = self._put_on_by_others(operation, live) or before
        if live != (address := stays.address if stays else None):
            self.switch.write(address)
        said = self.engine.logs(operation.name)
        for one in self.engine.running():
            if one.operation == operation.name:
                self.engine.stop(one)
        self.engine.remove(operation.name)
        kind = "still" if stays == before else "of another deploy"
        still = f"{stays.commit[:12]} {kind} serves" if stays else "nothing serves"
        last = f"\nits last lines:\n{said}" if said else ""
        join = "\n" if "\n" in why else "; "
        return f"{operation.candidate.ref} {why}{join}{still}{last}"

    def _put_on_by_others(
        self, operation: Operation, live: str | None
    ) -> Instance | None:
        """Return the live instance if another clone deployed it meanwhile."""
        with suppress(TrunklineError):  # The engine may not answer.
            for one in self.engine.running():
                if one.address == live and one.operation != operation.name:
                    return one
        return None

    def _step(self, operation: Operation, step: DeployStep) -> None:
        self.journal.intend(operation.name, step, self.now())
        self.say(step.value)

    def _end(
        self, operation: Operation, ending: Outcome, reason: str, seconds: float
    ) -> None:
        # The system clock may have been set back.
        took, at = max(0.0, seconds), self.now()
        self.journal.end(operation.name, ending, at, reason=reason, seconds=took)


def require_no_human(found: Recovery | None, facts: Facts, live: Path) -> None:
    """Raise Refusal if the facts contradict each other."""
    if found is None or found.verdict is not RecoveryVerdict.NEEDS_HUMAN:
        return
    running = ", ".join(f"{one.commit[:12]} at {one.address}" for one in facts.running)
    # Suggest a healthy instance if there is one.
    address, *_ = sorted(
        (one.address for one in facts.running), key=lambda it: it not in facts.well
    )
    raise Refusal(
        rule="needs-a-human",
        found=f"{found.why}; live: {facts.live}; running: {running or 'nothing'}",
        expected=f"{live} with the address of a running instance",
        fix=f"echo {address} > {quote(str(live))}  (or rm it; then the same command)",
    )
