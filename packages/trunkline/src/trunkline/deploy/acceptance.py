"""`trunkline accept`: what somebody else put on becomes what was put on here."""

import os
import time
import uuid
from dataclasses import replace

from trunkline.deploy.deployment import Deployment
from trunkline.deploy.local_desk import person
from trunkline.deploy.operation import Operation, Outcome, find_operation
from trunkline.deploy.orders import DIGITS, doing, recover
from trunkline.errors import Refusal
from trunkline.options import command, option
from trunkline.output import say


@command(option("environment", metavar="ENV", help="the environment"))
def accept(*, environment: str) -> int:
    """Record what serves as what was put on, to be taken back to later."""
    place = Deployment(environment)
    by = person(os.environ)
    place.permit(by, "accept")
    with place.only(doing(place, by, "accept"), wait=False) as lock:
        deployer = place.deployer(lock)
        recover(place, deployer)
        live = deployer.live()
        if live is None or not deployer.engine.well(live):
            raise Refusal(
                rule="accept",
                found=f"nothing that serves well on {environment}",
                expected="a service that is ready and names its commit",
                fix=f"uv run trunkline status {environment}",
            )
        operations = place.journal.operations()
        good = [one for one in operations if one.ending is Outcome.LIVE]
        if good and good[-1].candidate.commit == live.commit:
            say(f"{live.commit[:DIGITS]} was put on here; there is nothing to accept")
            return 0
        told = find_operation(operations, live)
        found = told.candidate if told else place.candidate(_ref(place, live.commit))
        candidate = replace(found, variables_of=live.operation if told else "")
        # The instance keeps its name; one that was put on here before has it already.
        name = uuid.uuid4().hex[:DIGITS] if told else live.operation
        now = time.time()
        place.journal.begin(Operation(name, candidate, by, now, took_back=False))
        deployer.engine.variables.keep(name, candidate.variables_of)
        place.journal.end(name, Outcome.LIVE, now, reason="it was put on elsewhere")
        place.tidy(deployer.engine)
    print(f"{live.commit[:DIGITS]} is what was put on {environment} now")
    return 0


def _ref(place: Deployment, commit: str) -> str:
    """Return the name of what serves; where only releases may, that of its release."""
    if place.environment.accepts == "any":
        return commit[:DIGITS]
    asked = ("tag", "--sort=v:refname", "--points-at", commit, "v*")
    tags = place.repository.run(*asked).text.split()
    return tags[-1] if tags else commit[:DIGITS]
