"""The steps of a deploy, and what to do about one that was interrupted. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class DeployStep(StrEnum):
    """What a deploy does, in this order."""

    PULL = "pull"
    PREFLIGHT = "preflight"
    MIGRATE = "migrate"
    START = "start"
    CHECK = "check"
    SWITCH = "switch"
    WATCH = "watch"
    STOP = "stop"


class Outcome(StrEnum):
    """How an operation ended; one without an ending was interrupted."""

    LIVE = "live"
    FAILED = "failed"
    RESTORED = "restored"


class RecoveryVerdict(StrEnum):
    """What the facts after an interruption ask for."""

    ADOPT = "adopt"
    RESTORE = "restore"
    NEEDS_HUMAN = "needs a human"


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is to be deployed: a commit, under the name that was asked for.

    `variables_of` is the operation whose variables are used again, if not today's, and
    `digest` that of the image, where an engine runs images.
    """

    ref: str
    commit: str
    variables_of: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Instance:
    """One start of the service; the operation that started it gives it its name."""

    operation: str
    commit: str
    address: str
    # How many of its pods take requests, where it has several.
    ready: int = field(default=0, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the live file and the engine say; `live` is None without such a file."""

    live: str | None
    running: tuple[Instance, ...]
    # Addresses whose instance is ready and names the commit that it was started from.
    well: frozenset[str]

    def at(self, address: str | None) -> Instance | None:
        """Return the running instance with this address."""
        return next((one for one in self.running if one.address == address), None)


@dataclass(frozen=True, slots=True)
class Operation:
    """One deploy as the journal tells it."""

    name: str
    candidate: Candidate
    by: str
    at: float
    took_back: bool
    # The last step that was begun.
    step: DeployStep | None = None
    # Every step that was begun, and when.
    steps: tuple[tuple[DeployStep, float], ...] = ()
    ending: Outcome | None = None
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Remains:
    """What this clone still has of the operations, each by its name."""

    variables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    # Those whose database was dropped.
    dropped: Collection[str] = ()

    def same(self, one: Operation, other: Operation) -> bool:
        """Whether both put the same on; unknown variables count as the same."""
        mine, others = (self.variables.get(it.name) for it in (one, other))
        known = mine is not None and others is not None
        return one.candidate.commit == other.candidate.commit and (
            not known or mine == others
        )


NOTHING = Remains()


@dataclass(frozen=True, slots=True)
class Recovery:
    """A verdict with the instance to serve, those to stop, and the reason."""

    verdict: RecoveryVerdict
    serve: Instance | None
    stop: tuple[Instance, ...]
    why: str


def recovery(facts: Facts, interrupted: str) -> Recovery:
    """Decide by facts alone what becomes of an interrupted operation.

    What serves well stays. A live file that names no instance of ours was written by
    somebody else and is not touched.
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
        serve, why = live, "it is live and well"
    elif len(old) == 1:
        serve, why = old[0], "it is the one from before, and well"
    elif new:
        serve, why = new[0], "nothing else is well"
    elif live and before and not old:
        serve = live if live in before else before[0]
        why = "it was live before, and nothing is well"
    elif not old:
        return Recovery(
            RecoveryVerdict.RESTORE, None, facts.running, "nothing was live before"
        )
    else:
        return _needs_human("what is live is sick, others are well")
    others = tuple(one for one in facts.running if one != serve)
    verdict = RecoveryVerdict.ADOPT if serve in new else RecoveryVerdict.RESTORE
    return Recovery(verdict, serve, others, why)


def _needs_human(why: str) -> Recovery:
    return Recovery(RecoveryVerdict.NEEDS_HUMAN, None, (), why)


def find_operation(
    operations: Sequence[Operation], instance: Instance | None
) -> Operation | None:
    """Return the operation that started an instance, if the journal knows it."""
    name = instance.operation if instance else None
    return next((one for one in operations if one.name == name), None)


def interrupted(operations: Sequence[Operation]) -> Operation | None:
    """Return the last operation if it has no ending."""
    return operations[-1] if operations and not operations[-1].ending else None


def earlier(
    operations: Sequence[Operation], live: str | None, remains: Remains = NOTHING
) -> Operation | None:
    """Return the operation to take back to; `live` is the operation that serves.

    It is the last one that lived through its window, unless what it put on, a commit
    with its variables, serves or was taken back since, or its database was dropped.
    """
    bad: list[Operation] = []
    good: list[Operation] = []
    for one in operations:
        if one.ending is not Outcome.LIVE:
            continue
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


def seconds_left(operations: Sequence[Operation], step: DeployStep) -> float | None:
    """Return how long the last ten that succeeded took from a step on: the median."""
    good = [one for one in operations if one.ending is Outcome.LIVE]
    ends = [(one, one.at + one.seconds) for one in good[-10:]]
    left = sorted(end - at for one, end in ends for s, at in one.steps if s is step)
    # A clock that was set back makes it negative.
    return max(0.0, left[len(left) // 2]) if left else None


def usual_seconds(operations: Sequence[Operation]) -> float | None:
    """Return the median duration of the last ten that succeeded."""
    ended = [one.seconds for one in operations if one.ending is Outcome.LIVE]
    taken = sorted(ended[-10:])
    return taken[len(taken) // 2] if taken else None
