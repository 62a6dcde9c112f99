"""The steps of a deploy, and how to recover from an interrupted one. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class DeployStep(StrEnum):
    """The steps of a deploy, in order."""

    PULL = "pull"
    PREFLIGHT = "preflight"
    MIGRATE = "migrate"
    START = "start"
    CHECK = "check"
    SWITCH = "switch"
    WATCH = "watch"
    STOP = "stop"


class Outcome(StrEnum):
    """How an operation ended; without an outcome it is running or was interrupted."""

    LIVE = "live"
    FAILED = "failed"
    RESTORED = "restored"


class RecoveryVerdict(StrEnum):
    """What to do after an interruption."""

    ADOPT = "adopt"
    RESTORE = "restore"
    NEEDS_HUMAN = "needs a human"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A commit to deploy, under the name that was asked for.

    `variables_of` names the operation whose variables are reused; empty means the
    current ones. `digest` is the image's, if the engine runs images.
    """

    ref: str
    commit: str
    variables_of: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Instance:
    """A running service, identified by the operation that started it."""

    operation: str
    commit: str
    address: str
    # The number of pods that take requests, on a cluster.
    ready: int = field(default=0, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the switch and the engine say; `live` is None if no address is live."""

    live: str | None
    running: tuple[Instance, ...]
    # Addresses of instances that are ready and report the expected commit.
    well: frozenset[str]

    def at(self, address: str | None) -> Instance | None:
        """Return the running instance with this address."""
        return next((one for one in self.running if one.address == address), None)


@dataclass(frozen=True, slots=True)
class Operation:
    """One deploy, as recorded in the journal."""

    name: str
    candidate: Candidate
    by: str
    at: float
    took_back: bool
    # The last step begun.
    step: DeployStep | None = None
    # Every step begun, with its Unix time.
    steps: tuple[tuple[DeployStep, float], ...] = ()
    ending: Outcome | None = None
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Remains:
    """What this clone still keeps of past operations, by name."""

    variables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    # The operations whose database was dropped.
    dropped: Collection[str] = ()

    def same(self, one: Operation, other: Operation) -> bool:
        """Whether both deployed the same commit with the same variables, if known."""
        mine, others = (self.variables.get(it.name) for it in (one, other))
        known = mine is not None and others is not None
        return one.candidate.commit == other.candidate.commit and (
            not known or mine == others
        )


NOTHING = Remains()


@dataclass(frozen=True, slots=True)
class Recovery:
    """A verdict, the instance to serve, the instances to stop, and the reason."""

    verdict: RecoveryVerdict
    serve: Instance | None
    stop: tuple[Instance, ...]
    why: str


def recovery(facts: Facts, interrupted: str) -> Recovery:
    """Decide what becomes of an interrupted operation, by facts alone.

    A live and healthy instance stays. A live file that names none of our instances was
    written by somebody else and is left alone.
    """
    if not facts.running:
        return Recovery(RecoveryVerdict.RESTORE, None, (), "nothing runs")
    live = facts.at(facts.live)
    well = [one for one in facts.running if one.address in facts.well]
    before = [one for one in facts.running if one.operation != interrupted]
    old = [one for one in before if one in well]
    new = [one for one in well if one.operation == interrupted]
    if facts.live is not None and live is None:
        return _needs_human(
            f"the live file names {facts.live}, where no instance of ours runs"
        )
    if live in well:
        serve, why = live, "it is live and healthy"
    elif len(old) == 1:
        serve, why = old[0], "it is the previous one, and healthy"
    elif new:
        serve, why = new[0], "nothing else is healthy"
    elif live and before and not old:
        serve = live if live in before else before[0]
        why = "it was live before, and nothing is healthy"
    elif not old:
        return Recovery(
            RecoveryVerdict.RESTORE, None, facts.running, "nothing was live before"
        )
    else:
        return _needs_human("the live instance is unhealthy, others are not")
    others = tuple(one for one in facts.running if one != serve)
    verdict = RecoveryVerdict.ADOPT if serve in new else RecoveryVerdict.RESTORE
    return Recovery(verdict, serve, others, why)


def _needs_human(why: str) -> Recovery:
    return Recovery(RecoveryVerdict.NEEDS_HUMAN, None, (), why)


def find_operation(
    operations: Sequence[Operation], instance: Instance | None
) -> Operation | None:
    """Return the operation that started an instance, if the journal has it."""
    name = instance.operation if instance else None
    return next((one for one in operations if one.name == name), None)


def interrupted(operations: Sequence[Operation]) -> Operation | None:
    """Return the last operation if it has no ending."""
    return operations[-1] if operations and not operations[-1].ending else None


def successes(operations: Sequence[Operation]) -> list[Operation]:
    """Return those that survived their window, oldest first."""
    return [one for one in operations if one.ending is Outcome.LIVE]


def rollback_target(
    operations: Sequence[Operation], live: str | None, remains: Remains = NOTHING
) -> Operation | None:
    """Return the operation to roll back to; `live` names the one that is serving.

    This is the last one that survived its window, skipping those whose commit and
    variables are serving or were taken back since, or whose database was dropped.
    """
    bad: list[Operation] = []
    good: list[Operation] = []
    for one in successes(operations):
        if one.took_back:
            bad += good[-1:]
        bad = [it for it in bad if not remains.same(it, one)]
        good.append(one)
    serving = next((one for one in good if one.name == live), None)
    unwanted = [*bad, *([serving] if serving else good[-1:])]
    usable = [
        one
        for one in good
        if one.name not in remains.dropped
        and not any(remains.same(one, it) for it in unwanted)
    ]
    return usable[-1] if usable else None


def seconds_left(
    operations: Sequence[Operation], step: DeployStep = DeployStep.PULL
) -> float | None:
    """Return the median time from a step to the end, over the last ten successes."""
    ends = [(one, one.at + one.seconds) for one in successes(operations)[-10:]]
    left = sorted(end - at for one, end in ends for s, at in one.steps if s is step)
    # A clock that was set back makes it negative.
    return max(0.0, left[len(left) // 2]) if left else None
