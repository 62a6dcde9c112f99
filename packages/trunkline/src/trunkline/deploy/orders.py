"""What `deploy` and `rollback` share: the plan, the lock and the result."""

import json as json_
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from shlex import quote

from trunkline.commits.conventional import shown
from trunkline.deploy.deployment import Deployment
from trunkline.deploy.environments import Environment
from trunkline.deploy.operation import (
    Candidate,
    DeployStep,
    Instance,
    Operation,
    find_operation,
    interrupted,
    seconds_left,
)
from trunkline.deploy.runner import Deployer, require_no_human
from trunkline.errors import Refusal
from trunkline.output import confirm, say

DIGITS = 12
# What a person confirms before data is lost.
LOST = {
    "new": "The service will no longer see the data in its present database.",
    "downgrade": "The data that the newest migrations added will be lost.",
}


@dataclass(frozen=True, slots=True)
class Order:
    """A requested change; `choose` finds the candidate once the lock is held."""

    choose: Callable[[Deployer], Candidate]
    # Shown to whoever runs another deploy meanwhile.
    what: str
    took_back: bool = False
    database: str = ""
    wait: bool = False
    json: bool = False


def carry_out(place: Deployment, order: Order) -> int:
    """Deploy while holding the environment's lock, and print what is serving."""
    with place.only(order.what, wait=order.wait) as lock:
        deployer = place.deployer(lock, choice=order.database)
        recover(place, deployer)
        operation = Operation(
            name=uuid.uuid4().hex[:DIGITS],
            candidate=order.choose(deployer),
            by=place.by,
            at=time.time(),
            took_back=order.took_back,
        )
        if not order.took_back:
            place.permit("put", ref=operation.candidate.ref)
        deployer.engine.ensure_proxy()
        try:
            new = deployer.deploy(operation)
        finally:
            # Recovery needs what an unfinished deploy left.
            if not interrupted(place.journal.operations()):
                place.tidy(deployer)
    return _report(place, operation.candidate.ref, new, json=order.json)


def end_window(place: Deployment, back: Instance, *, json: bool) -> int:
    """Wait until the version taken back in its window has stopped; print what serves.

    The deploy that is watching it stops it; if that was killed, this does.
    """
    say(f"switched back to {back.commit[:DIGITS]}")
    with place.only("rollback", wait=True) as lock:
        recover(place, place.deployer(lock))
    found = find_operation(place.journal.operations(), back)
    return _report(place, found.candidate.ref if found else "", back, json=json)


def show_plan(place: Deployment, order: Order) -> int:
    """Print what a deploy would do, without changing the service or its database."""
    with place.only(f"{order.what} --dry-run", wait=order.wait) as lock:
        deployer = place.deployer(lock, choice=order.database)
        if left := interrupted(place.journal.operations()):
            raise _unfinished(left, place.environment.name)
        candidate = order.choose(deployer)
        plan = place.preview(deployer, candidate)
    usual = seconds_left(place.journal.operations())
    skipped = set() if plan.migrates else {DeployStep.MIGRATE}
    steps = [step.value for step in DeployStep if step not in skipped]
    if order.json:
        document = {"ref": candidate.ref, "commit": candidate.commit, "steps": steps}
        print(json_.dumps(document | {"usual_seconds": usual, "database": plan.lines}))
        return 0
    print(f"{candidate.ref} {candidate.commit[:DIGITS]} → {place.environment.url}")
    print(", ".join(steps) + (f"; {usual:.0f} s usually" if usual else ""))
    print("\n".join(plan.lines))
    return 0


def require_choice(choice: str, environment: Environment, *, yes: bool) -> None:
    """Refuse to change a database of releases; ask for confirmation if data is lost."""
    if environment.accepts == "releases":
        raise Refusal(
            rule="releases-only",
            found=f"another database for {environment.name}",
            expected="its present database, because it accepts only releases",
            fix="the same command without the option",
        )
    if choice in LOST:
        confirm(f"{LOST[choice]} Go on?", yes=yes)


def recover(place: Deployment, deployer: Deployer) -> None:
    """Finish an interrupted deploy; raises Refusal if only a person can."""
    if left := deployer.recover():
        require_no_human(left, deployer.facts(), place.switch.file)
        say(f"the interrupted deploy ended: {left.verdict.value}, {left.why}")


def _unfinished(left: Operation, environment: str) -> Refusal:
    ref = shown(left.candidate.ref)
    return Refusal(
        rule="unfinished",
        found=f"{ref}, begun by {shown(left.by)} and interrupted",
        expected="no unfinished deploy: a dry run changes nothing, so cannot finish it",
        fix=f"uv run trunkline deploy {quote(left.candidate.ref)} --to {environment}"
        "  (any deploy, or `uv run trunkline rollback`, finishes it first)",
    )


def _report(place: Deployment, ref: str, new: Instance, *, json: bool) -> int:
    if json:
        print(json_.dumps({"commit": new.commit, "url": place.environment.url}))
    else:
        print(f"{ref} {new.commit[:DIGITS]} serves at {place.environment.url}")
    return 0


def progress(operations: Sequence[Operation], now: float) -> str:
    """Describe the step of the last operation and the time left. Pure."""
    left = interrupted(operations)
    if left is None or not left.steps:
        return "no step has begun"
    step, at = left.steps[-1]
    number, of = [*DeployStep].index(step) + 1, len(DeployStep)
    usual = seconds_left(operations, step)
    # If the clock was set back, no time has passed.
    rest = None if usual is None else max(0.0, usual - max(0.0, now - at))
    more = "" if rest is None else f", about {rest:.0f} s left"
    return f"step {number} of {of}: {step.value}{more}"
