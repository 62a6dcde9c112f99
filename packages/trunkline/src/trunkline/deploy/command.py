"""`trunkline deploy`, `rollback`, `status` and `history`."""

import json as json_
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from trunkline.commits.conventional import shown
from trunkline.deploy import desk as desks
from trunkline.deploy.candidates import require_commit
from trunkline.deploy.deployment import HEALTHY, Deployment, environment_names
from trunkline.deploy.lock import holder
from trunkline.deploy.operation import (
    NOTHING,
    Candidate,
    Facts,
    Operation,
    RecoveryVerdict,
    Remains,
    find_operation,
    interrupted,
    recovery,
    rollback_target,
    successes,
)
from trunkline.deploy.orders import (
    DIGITS,
    Order,
    carry_out,
    end_window,
    progress,
    require_choice,
    show_plan,
)
from trunkline.deploy.runner import Deployer
from trunkline.deploy.variables import parse_flags
from trunkline.errors import Refusal, UsageError
from trunkline.options import DRY_RUN, JSON, YES, command, option, repeated, switch
from trunkline.output import aligned, say, shown_time

WAIT = switch("--wait", "wait for a running deploy to this environment")
TO = option(
    "--to", metavar="ENV", required=True, dest="environment", help="the environment"
)
DATABASE = (
    ("own", "--own-database", "give the branch a database of its own"),
    ("new", "--new-database", "switch the environment to a new database"),
    ("downgrade", "--downgrade", "first let the live version undo its migrations"),
)
CHOICES = [
    option(name, action="store_const", const=value, dest="database", default="", help=h)
    for value, name, h in DATABASE
]
ENV = option("environment", metavar="ENV", help="the environment")


@command(
    option("ref", metavar="REF", help="a branch, a tag or a commit"),
    option("--commit", metavar="ID", default="", help="refuse any other commit of REF"),
    repeated("--flag", metavar="ENABLE_X=BOOL", default=[], help="switch a flag"),
    *(TO, *CHOICES, YES, WAIT, DRY_RUN, JSON, desks.DESK),
)
def deploy(
    *,
    ref: str,
    commit: str,
    flag: list[str],
    environment: str,
    database: str,
    yes: bool,
    wait: bool,
    dry_run: bool,
    json: bool,
    desk: str,
) -> int:
    """Deploy a commit to an environment."""
    if desk:
        # The desk has its own queue, and switches flags on its page.
        if flag or dry_run or database not in {"", "own"}:
            raise UsageError(
                "with --desk there is no --flag, --dry-run, --new-database or"
                f" --downgrade\n  type next: open {desk}"
            )
        own = "own-database" if database else ""
        wish = {"action": "put", "ref": ref, "commit": commit, "database": own}
        return desks.open_desk(desk).carry_out(environment, **wish, yes=yes)
    place = Deployment(environment, flags=parse_flags(flag))
    if database:
        require_choice(database, place.environment, yes=yes or dry_run)

    def choose(deployer: Deployer) -> Candidate:
        live = deployer.live() if commit else None
        known = find_operation(place.journal.operations(), live)
        if known and (known.candidate.ref, known.candidate.commit) == (ref, commit):
            # The branch and its tag may have moved since; the live image has not.
            return replace(known.candidate, variables_of="")
        return require_commit(place.candidate(ref), commit)

    what = Order(
        choose, f"deploy {shown(ref)}", database=database, wait=wait, json=json
    )
    return show_plan(place, what) if dry_run else carry_out(place, what)


@command(ENV, YES, WAIT, DRY_RUN, JSON, desks.DESK)
def rollback(
    *, environment: str, yes: bool, wait: bool, dry_run: bool, json: bool, desk: str
) -> int:
    """Return to the last deploy that served well, with the variables of that time."""
    if desk:
        if dry_run:
            raise UsageError(
                f"with --desk there is no --dry-run\n  type next: open {desk}"
            )
        found = desks.open_desk(desk)
        return found.carry_out(environment, action="take back", yes=yes)
    place = Deployment(environment)

    def choose(deployer: Deployer) -> Candidate:
        serving = deployer.live()
        operations = place.journal.operations()
        remains = deployer.databases.remains()
        found = rollback_target(
            operations, serving.operation if serving else None, remains
        )
        if found is None:
            lost = [it.candidate.ref for it in operations if it.name in remains.dropped]
            but = f" but {shown(lost[-1])}, whose database was dropped" if lost else ""
            raise Refusal(
                rule="rollback",
                found=f"nothing else that lived through its window{but}",
                expected="an earlier deploy that ended well",
                fix=f"uv run trunkline history {environment}",
            )
        variables_of = found.candidate.variables_of or found.name
        return replace(found.candidate, variables_of=variables_of)

    what = Order(choose, "rollback", took_back=True, wait=wait, json=json)
    if dry_run:
        return show_plan(place, what)
    place.permit("take back")
    if back := place.deployer().take_back(place.by):
        return end_window(place, back, json=json)
    return carry_out(place, what)


@command(
    option("environment", metavar="ENV", nargs="?", default="", help="default: all"),
    *(JSON, desks.DESK),
)
def status(*, environment: str, json: bool, desk: str) -> int:
    """Print what is serving; exit code 1 if an environment is not healthy."""
    if desk and not environment:
        raise UsageError(
            f"with --desk there is no status of all\n  type next: open {desk}"
        )
    if desk:
        return desks.show_status(desks.open_desk(desk), environment, json=json)
    names = [environment] if environment else environment_names()
    found = [read_status(Deployment(name)) for name in names]
    if json:
        print(json_.dumps(found[0] if environment else found))
    else:
        lines = [(f"{one['environment']}: ", _describe(one)) for one in found]
        print("\n".join(text if environment else name + text for name, text in lines))
    return 0 if all(one["well"] for one in found) else 1


def _describe(status: Mapping[str, Any]) -> str:
    if status["commit"] is None:
        text = status["needs_human"] or f"nothing serves on {status['environment']}"
    else:
        since = f", by {status['by']} at {status['since']}" if status["by"] else ""
        name = f"{status['ref']} " if status["ref"] else ""
        text = f"{name}{status['commit'][:DIGITS]} is {status['health']}{since}"
    if activity := status["running"] or status["unfinished"]:
        text += f"\n{activity}\n{status['progress']}"
    return text


def read_status(place: Deployment) -> dict[str, Any]:
    """Ask what is serving, whether clients reach it, and which deploy is running."""
    deployer = place.deployer()
    facts = deployer.facts()
    operations = place.journal.operations()
    running = holder(place.folder)
    remains = deployer.databases.remains()
    status = status_of(facts, operations, running=bool(running), remains=remains)
    health = place.health(facts)
    active = running or status["unfinished"]
    return {
        "environment": place.environment.name,
        "url": place.environment.url,
        **status,
        "well": health == HEALTHY,
        "health": health if status["commit"] else None,
        "running": running or None,
        "progress": progress(operations, time.time()) if active else None,
    }


def status_of(
    facts: Facts,
    operations: Sequence[Operation],
    *,
    running: bool,
    remains: Remains = NOTHING,
) -> dict[str, Any]:
    """Describe what is serving and what a rollback would return to. Pure.

    `recorded` is the last successful deploy in the journal.
    """
    live = facts.at(facts.live)
    serving = find_operation(operations, live)
    left = interrupted(operations)
    good = successes(operations)
    before = rollback_target(operations, serving.name if serving else None, remains)
    if serving and serving == left:
        # During its window, a rollback returns to the instance still running beside it.
        before = good[-1] if good else None
    found = None
    if not running and (left or not live):
        found = recovery(facts, left.name if left else "")
    human = found and found.verdict is RecoveryVerdict.NEEDS_HUMAN
    return {
        "commit": live.commit if live else None,
        "ref": serving.candidate.ref if serving else None,
        "by": serving.by if serving else None,
        "since": shown_time(serving.at) if serving else None,
        "unfinished": f"unfinished: {left.candidate.ref}, begun by {left.by}"
        if left
        else None,
        "recorded": _named(good[-1] if good else None),
        "before": _named(before),
        "needs_human": found.why if found and human else None,
    }


def _named(one: Operation | None) -> dict[str, str] | None:
    return {"ref": one.candidate.ref, "commit": one.candidate.commit} if one else None


@command(ENV, JSON, desks.DESK)
def history(*, environment: str, json: bool, desk: str) -> int:
    """Print the deploys to an environment, newest first."""
    if desk:
        return desks.show_history(desks.open_desk(desk), environment, json=json)
    operations = Deployment(environment).journal.operations()[::-1]
    rows = [
        (
            shown_time(one.at),
            one.by,
            "take back" if one.took_back else "deploy",
            one.candidate.ref,
            one.candidate.commit[:DIGITS],
            one.ending.value if one.ending else "unfinished",
            f"{one.seconds:.0f} s" if one.ending else "",
            one.reason.partition("\n")[0],
        )
        for one in operations
    ]
    if json:
        names = ("at", "by", "kind", "ref", "commit", "ending", "took", "reason")
        print(json_.dumps([dict(zip(names, row, strict=True)) for row in rows]))
    elif rows:
        print("\n".join(aligned(rows)))
    else:
        say(f"nothing has been deployed to {environment} yet")
    return 0
