"""Interpret kubectl's and Compose's errors, and say what to type next. Pure."""

import re

from trunkline.deploy.environments import Environment
from trunkline.deploy.proxy import port_taken
from trunkline.errors import Refusal

# kubectl's errors about a server that is temporarily unable to answer.
BUSY = ("serviceunavailable", "servertimeout", "timeout", "toomanyrequests")
# And about one that does not respond.
SILENT = ("connection", "timeout", ": eof")
# Expired credentials, or a failed credential plugin.
LOG_IN = ("logged in", "provide credentials", "getting credentials")
CONTEXT = ("context was not found", "no context exists")
AWAY = ("connection to the server", "unable to connect", "had not finished")

# Of Compose: a port that is taken, and a docker that has no Compose or an old one.
TAKEN = ("already in use", "already allocated", "ports are not available")
NO_COMPOSE = ("docker --help", "unknown flag")


def passing(complaint: str) -> bool:
    """Whether an error of kubectl is transient."""
    said = complaint.lower()
    if any(f"from server ({one})" in said for one in BUSY) or "etcdserver:" in said:
        return True
    # A refusal by the server is final, and so are expired credentials.
    answered = "from server" in said or "logged in" in said
    return not answered and any(one in said for one in SILENT)


def refusal(complaint: str, options: str, environment: str) -> Refusal | None:
    """Return a Refusal if kubectl cannot reach the cluster or log in, else None."""
    # The lines before the last one only repeat it.
    last = complaint.strip().splitlines()[-1]
    said = last.lower()
    if any(one in said for one in LOG_IN):
        return Refusal(
            rule="log-in",
            found=f"the cluster lets nobody in: {last}",
            expected="credentials that have not expired",
            fix=f"kubectl {options} auth can-i list pods  (by a plugin that logs in; "
            "a token is replaced by `kubectl config set-credentials`)",
        )
    if any(one in said for one in CONTEXT):
        return Refusal(
            rule="context",
            found=f"kubectl does not know the context: {last}",
            expected="one of those that it has",
            fix=f"kubectl config get-contexts  (its name is `context` of {environment} "
            "in pyproject.toml)",
        )
    if any(one in said for one in AWAY):
        return Refusal(
            rule="cluster-away",
            found=f"no answer from the cluster: {last}",
            expected="an API server that answers",
            fix=f"kubectl {options} get --raw=/readyz  (once that says ok: the same "
            "command)",
        )
    return None


def compose_refusal(complaint: str, environment: Environment) -> Refusal | None:
    """Return a Refusal if a person has to prepare something for Compose, else None."""
    if any(one in complaint for one in TAKEN):
        return port_taken(environment)
    if any(one in complaint for one in NO_COMPOSE):
        return Refusal(
            rule="compose",
            found=f"docker without a usable Compose: {complaint.partition('\n')[0]}",
            expected="docker compose, 2.30 or newer",
            fix="sudo apt-get install docker-compose-plugin  (or docker-compose-v2)",
        )
    if found := re.search(r"required variable (\w+)", complaint):
        name = environment.name
        return Refusal(
            rule="variables",
            found=f"no {found[1]}, which the Compose files of {name} require",
            expected=f"it in a file that `variables` of {name} lists",
            fix=f"echo {found[1]}=VALUE >> {name}.env  (with `variables = "
            f'["{name}.env"]` in pyproject.toml)',
        )
    return None
