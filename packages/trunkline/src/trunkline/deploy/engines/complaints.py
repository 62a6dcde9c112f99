"""What kubectl's complaints mean, and what to type about them. Pure."""

from trunkline.errors import Refusal

# What kubectl says of a server that answers, but cannot do anything just now.
BUSY = ("serviceunavailable", "servertimeout", "timeout", "toomanyrequests")
# And of one that does not answer.
SILENT = ("connection", "timeout", ": eof")
# Of a log-in that has expired, or that a plugin of kubectl's did not get.
LOG_IN = ("logged in", "provide credentials", "getting credentials")
CONTEXT = ("context was not found", "no context exists")
AWAY = ("connection to the server", "unable to connect", "had not finished")


def passing(complaint: str) -> bool:
    """Whether what kubectl complains of goes away by itself."""
    said = complaint.lower()
    if any(f"from server ({one})" in said for one in BUSY) or "etcdserver:" in said:
        return True
    # A server that answers says no for good, and so does a log-in that has expired.
    answered = "from server" in said or "logged in" in said
    return not answered and any(one in said for one in SILENT)


def refusal(complaint: str, options: str, environment: str) -> Refusal | None:
    """Say what to type where kubectl does not get to the cluster; None elsewhere."""
    # Lines before the last one only repeat it.
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
