"""`trunkline accept`: record a version that was deployed from elsewhere."""

import time
import uuid
from dataclasses import replace

from trunkline.deploy.deployment import Deployment
from trunkline.deploy.operation import Operation, Outcome, find_operation, successes
from trunkline.deploy.orders import DIGITS, recover
from trunkline.errors import Refusal
from trunkline.options import command, option
from trunkline.output import say


@command(option("environment", metavar="ENV", help="the environment"))
def accept(*, environment: str) -> int:
    """Record what is serving as a deploy, so that a rollback can return to it."""
    place = Deployment(environment)
    place.permit("accept")
    with place.only("accept", wait=False) as lock:
        deployer = place.deployer(lock)
        recover(place, deployer)
        live = deployer.live()
        if live is None or not deployer.engine.well(live):
            raise Refusal(
                rule="accept",
                found=f"nothing healthy on {environment}",
                expected="a service that is ready and names its commit",
                fix=f"uv run trunkline status {environment}",
            )
        operations = place.journal.operations()
        good = successes(operations)
        if good and good[-1].candidate.commit == live.commit:
            say(f"{live.commit[:DIGITS]} was deployed from here; nothing to accept")
            return 0
        known = find_operation(operations, live)
        found = known.candidate if known else place.candidate(_ref(place, live.commit))
        candidate = replace(found, variables_of=live.operation if known else "")
        # The instance's own name, unless the journal has that already.
        name = uuid.uuid4().hex[:DIGITS] if known else live.operation
        now = time.time()
        place.journal.begin(Operation(name, candidate, place.by, now, took_back=False))
        deployer.engine.variables.keep(name, candidate.variables_of)
        place.journal.end(name, Outcome.LIVE, now, reason="deployed from elsewhere")
        place.tidy(deployer)
    print(f"accepted {live.commit[:DIGITS]} on {environment}")
    return 0


def _ref(place: Deployment, commit: str) -> str:
    """Return the tag of a release where only those are accepted, else the commit."""
    if place.environment.accepts == "any":
        return commit[:DIGITS]
    asked = ("tag", "--sort=v:refname", "--points-at", commit, "v*")
    tags = place.repository.run(*asked).text.split()
    return tags[-1] if tags else commit[:DIGITS]
