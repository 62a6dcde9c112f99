"""`trunkline deploy`, `rollback`, `status` and `history`."""

import getpass
import json as json_
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from trunkline.deploy.deployment import Deployment
from trunkline.deploy.engines.protocol import InstanceEngine
from trunkline.deploy.lock import only_deploy
from trunkline.deploy.operation import (
    Candidate,
    DeployStep,
    Operation,
    earlier,
    interrupted,
    usual_seconds,
)
from trunkline.deploy.runner import require_no_human
from trunkline.errors import FailedError, Refusal
from trunkline.options import DRY_RUN, JSON, command, option, switch
from trunkline.output import aligned, say

WAIT = switch("--wait", "wait for a running deploy to this environment")
TO = option(
    "--to", metavar="ENV", required=True, dest="environment", help="the environment"
)
ENV = option("environment", metavar="ENV", help="the environment")
DIGITS = 12


@command(
    option("ref", metavar="REF", help="a branch, a tag or a commit"),
    *(TO, WAIT, DRY_RUN, JSON),
)
def deploy(*, ref: str, environment: str, wait: bool, dry_run: bool, json: bool) -> int:
    """Put a commit on an environment."""

    def choose(place: Deployment) -> Candidate:
        return place.candidate(ref)

    return _operate(
        choose, environment, took_back=False, wait=wait, dry_run=dry_run, json=json
    )


@command(ENV, WAIT, DRY_RUN, JSON)
def rollback(*, environment: str, wait: bool, dry_run: bool, json: bool) -> int:
    """Take an environment back to what served well before, with its variables."""

    def choose(place: Deployment) -> Candidate:
        operations = place.journal.operations()
        live = place.deployer().facts()
        serving = live.at(live.live)
        found = earlier(operations, serving.operation if serving else None)
        if found is None:
            raise Refusal(
                rule="rollback",
                found="no other commit that lived through its window",
                expected="an earlier deploy that ended well",
                fix=f"trunkline history {environment}",
            )
        variables_of = found.candidate.variables_of or found.name
        return replace(found.candidate, variables_of=variables_of)

    return _operate(
        choose, environment, took_back=True, wait=wait, dry_run=dry_run, json=json
    )


@command(ENV, JSON)
def status(*, environment: str, json: bool) -> int:
    """Print what serves, by the facts; exit code 1 if nothing serves well."""
    place = Deployment(environment)
    facts = place.deployer().facts()
    live = facts.at(facts.live)
    operations = place.journal.operations()
    told = next((o for o in operations if live and o.name == live.operation), None)
    left = interrupted(operations)
    well = live is not None and live.address in facts.well
    document = {
        "environment": environment,
        "url": place.environment.url,
        "commit": live.commit if live else None,
        "ref": told.candidate.ref if told else None,
        "by": told.by if told else None,
        "since": _time(told.at) if told else None,
        "well": well,
        "unfinished": left.name if left else None,
    }
    if json:
        print(json_.dumps(document))
    elif live is None:
        print(f"nothing serves on {environment}")
    else:
        since = f", by {told.by} at {_time(told.at)}" if told else ""
        name = f"{told.candidate.ref} " if told else ""
        print(f"{name}{live.commit[:DIGITS]} {'is well' if well else 'is sick'}{since}")
    if left and not json:
        print(f"unfinished: {left.candidate.ref}, begun by {left.by}; or it runs now")
    return 0 if well else 1


@command(ENV, JSON)
def history(*, environment: str, json: bool) -> int:
    """Print what was put on an environment, the newest first."""
    operations = Deployment(environment).journal.operations()[::-1]
    rows = [
        (
            _time(one.at),
            one.by,
            "take back" if one.took_back else "deploy",
            one.candidate.ref,
            one.candidate.commit[:DIGITS],
            one.ending.value if one.ending else "unfinished",
        )
        for one in operations
    ]
    if json:
        names = ("at", "by", "kind", "ref", "commit", "ending")
        print(json_.dumps([dict(zip(names, row, strict=True)) for row in rows]))
    elif rows:
        print("\n".join(aligned(rows)))
    return 0


def _operate(
    choose: Callable[[Deployment], Candidate],
    environment: str,
    *,
    took_back: bool,
    wait: bool,
    dry_run: bool,
    json: bool,
) -> int:
    place = Deployment(environment)
    if dry_run:
        _print_plan(place, choose(place), json=json)
        return 0
    by = person(os.environ)
    doing = f"{by} is changing {environment} since {_time(time.time())}"
    with only_deploy(place.folder, doing, wait=wait) as lock:
        deployer = place.deployer(lock)
        left = deployer.recover()
        require_no_human(left, deployer.facts(), place.switch.file)
        if left:
            say(f"the interrupted deploy ended: {left.verdict.value}, {left.why}")
        operation = Operation(
            name=uuid.uuid4().hex[:DIGITS],
            candidate=choose(place),
            by=by,
            at=time.time(),
            took_back=took_back,
        )
        deployer.engine.ensure_proxy()
        with _tidied(place, deployer.engine):
            new = deployer.deploy(operation)
    if json:
        print(json_.dumps({"commit": new.commit, "url": place.environment.url}))
    else:
        print(
            f"{operation.candidate.ref} {new.commit[:DIGITS]} serves at "
            f"{place.environment.url}"
        )
    return 0


@contextmanager
def _tidied(place: Deployment, engine: InstanceEngine) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        say("the next deploy or rollback finishes or undoes this one by the facts")
        raise
    finally:
        # What was interrupted may be needed once more.
        if not interrupted(place.journal.operations()):
            place.tidy(engine)


def _print_plan(place: Deployment, candidate: Candidate, *, json: bool) -> None:
    usual = usual_seconds(place.journal.operations())
    steps = [step.value for step in DeployStep]
    if json:
        document = {"ref": candidate.ref, "commit": candidate.commit, "steps": steps}
        print(json_.dumps(document | {"usual_seconds": usual}))
        return
    print(f"{candidate.ref} {candidate.commit[:DIGITS]} → {place.environment.url}")
    print(", ".join(steps) + (f"; {usual:.0f} s usually" if usual else ""))


def person(environment: Mapping[str, str]) -> str:
    """Return who deploys: the workflow's actor, or the system's user."""
    if environment.get("GITHUB_ACTIONS") == "true" and "GITHUB_ACTOR" in environment:
        return environment["GITHUB_ACTOR"]
    try:
        return getpass.getuser()
    except (OSError, KeyError) as error:
        raise FailedError("the system does not know who runs this") from error


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
