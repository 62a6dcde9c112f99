"""Interpret kubectl's errors, and say what to type next. Pure."""

from trunkline.errors import Refusal

# kubectl's errors about a server that is temporarily unable to answer.
BUSY = ("serviceunavailable", "servertimeout", "timeout", "toomanyrequests")
# And about one that does not respond.
SILENT = ("connection", "timeout", ": eof")
# Expired credentials, or a failed credential plugin.
LOG_IN = ("logged in", "provide credentials", "getting credentials")
CONTEXT = ("context was not found", "no context exists")
AWAY = ("connection to the server", "unable to connect", "had not finished")


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
