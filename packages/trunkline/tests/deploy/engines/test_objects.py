"""What is applied to a cluster, and what its objects say."""

from typing import Any

import pytest

from trunkline.deploy.engines.objects import (
    NOTHING,
    Revision,
    ending,
    explanation,
    job,
    other_owner,
    passing,
    restarted,
    revision_of,
    rolled_out,
    stuck,
    workload_patch,
)

IMAGE = "registry.acme.com/shop@sha256:0a"
REVISION = Revision("op1", "c0ffee", IMAGE, ("GREETING",))
STARTING = {"waiting": {"reason": "ContainerCreating"}}


def deployment(revision: Revision | None = REVISION, **status: int) -> dict[str, Any]:
    """A Deployment of two pods after we applied a revision."""
    found = workload_patch("shop", "web", revision, "op1")
    found["metadata"] |= {"generation": 3}
    found["spec"]["replicas"] = 2
    found["status"] = {"observedGeneration": 3, **status}
    return found


def pod(**status: object) -> dict[str, Any]:
    return {"status": {"containerStatuses": [{"restartCount": 0, **status}]}}


def test_what_was_applied_is_read_again() -> None:
    assert revision_of(deployment(), "shop") == REVISION


def test_an_image_that_somebody_else_set_is_none_of_ours() -> None:
    found = deployment()
    found["spec"]["template"]["spec"]["containers"][0]["image"] = "other"
    assert revision_of(found, "shop") is None
    assert revision_of(deployment(None), "shop") is None


def test_no_variable_has_its_value_in_the_deployment() -> None:
    (variable,) = deployment()["spec"]["template"]["spec"]["containers"][0]["env"]
    reference = {"name": "shop-op1", "key": "GREETING"}
    assert variable["valueFrom"] == {"secretKeyRef": reference}


def test_a_job_runs_as_the_service_does_but_gets_no_requests() -> None:
    owner = deployment()
    pod_of = owner["spec"]["template"]
    pod_of["metadata"]["labels"] = {"app": "shop"}
    inner = pod_of["spec"]["containers"][0]
    inner |= {"readinessProbe": {}, "ports": [], "command": ["serve"]}
    inner["env"].append({"name": "APP_ENVIRONMENT", "value": "staging"})
    pod_of["spec"]["containers"].append({"name": "sidecar"})
    new = Revision("op2", "beef", "shop@sha256:0b", ("GREETING", "TOKEN"))
    made = job(owner, new, name="shop-ask", argv=["shop", "x"], deadline=9.0)
    template = made["spec"]["template"]
    (only,) = template["spec"]["containers"]
    assert (made["spec"]["backoffLimit"], made["spec"]["activeDeadlineSeconds"]) == (
        0,
        9,
    )
    assert "app" not in template["metadata"]["labels"]
    assert {*only} == {"name", "image", "args", "env"}
    values = {one["name"]: one.get("value", "a secret") for one in only["env"]}
    assert values == {
        "APP_ENVIRONMENT": "staging",
        "GREETING": "a secret",
        "TOKEN": "a secret",
    }
    assert {
        one["valueFrom"]["secretKeyRef"]["name"]
        for one in only["env"]
        if "valueFrom" in one
    } == {"shop-op2"}


@pytest.mark.parametrize(
    ("status", "done"),
    [
        ({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}, True),
        ({"replicas": 3, "updatedReplicas": 2, "availableReplicas": 3}, False),
        ({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 1}, False),
        ({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2}, False),
        ({}, False),
    ],
)
def test_a_rollout_has_ended_when_every_pod_is_new_and_available(
    status: dict[str, int], *, done: bool
) -> None:
    assert rolled_out(deployment(REVISION, **status)) is done


def owned(manager: str, **fields: object) -> dict[str, Any]:
    found = deployment()
    inner = {"f:containers": {'k:{"name":"web"}': fields}}
    at = {"f:spec": {"f:template": {"f:spec": inner}}}
    ours, status = {"manager": "trunkline", "fieldsV1": at}, {"manager": "controller"}
    other = {"manager": manager, "fieldsV1": at}
    found["metadata"]["managedFields"] = [ours, status, other]
    return found


def test_whoever_else_sets_the_image_or_a_variable_is_named() -> None:
    variable = 'k:{"name":"GREETING"}'
    cases = (
        (owned("argocd", **{"f:image": {}}), (2, "argocd", "the image")),
        (owned("kubectl-edit", **{"f:env": {variable: {}}}), (2, "kubectl-edit")),
        (owned("kubectl", **{"f:readinessProbe": {}}), ()),
        (owned("kubectl", **{"f:env": {'k:{"name":"APP"}': {}}}), ()),
    )
    for found, expected in cases:
        assert (other_owner(found, ["GREETING"]) or ())[
            : len(expected) or 3
        ] == expected


def test_the_image_of_before_the_first_deploy_may_be_anybodys() -> None:
    found = owned("kubectl", **{"f:image": {}})
    found["spec"]["template"]["spec"]["containers"][0]["image"] = NOTHING
    assert other_owner(found, []) is None


def test_a_pod_is_stuck_or_restarted() -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff"}}
    states = (pod(state=waiting), pod(state=STARTING), pod(state={"running": {}}))
    assert [stuck(one) for one in states] == [True, False, False]
    assert restarted(pod(restartCount=1))
    assert not restarted({})


def test_a_job_has_not_ended_before_its_pods_have() -> None:
    # As a server of 1.31 or later answers; an older one has the last condition alone.
    reached = {"status": "True", "reason": "CompletionsReached"}
    met = {"type": "SuccessCriteriaMet", **reached}
    complete = {"type": "Complete", **reached}
    deadline = {"status": "True", "reason": "DeadlineExceeded"}
    target = {"type": "FailureTarget", **deadline}
    failed = {"type": "Failed", **deadline}
    for conditions, end in (
        ([], None),
        ([met], None),
        ([met, complete], complete),
        ([target], None),
        ([target, failed], failed),
        ([failed], failed),
    ):
        assert ending({"status": {"conditions": conditions}}) == end
    assert ending({}) is None


@pytest.mark.parametrize(
    ("complaint", "waits"),
    [
        ("The connection to the server api:443 was refused", True),
        ("Unable to connect to the server: EOF", True),
        ("net/http: TLS handshake timeout", True),
        ("Error from server (ServiceUnavailable): apiserver not ready", True),
        ("Error from server (TooManyRequests): try again later", True),
        ("Error from server: etcdserver: leader changed", True),
        ("Error from server (Forbidden): no connection for you", False),
        ("error: You must be logged in to the server (Unauthorized)", False),
        ("Unable to connect to the server: x509: certificate has expired", False),
        ("Unable to connect to the server: dial tcp: no such host", False),
    ],
)
def test_only_what_goes_away_by_itself_is_waited_for(
    complaint: str, *, waits: bool
) -> None:
    assert passing(complaint) is waits


def test_the_event_that_names_the_cause_is_the_explanation() -> None:
    events = [
        {"type": "Normal", "message": "Pulling image"},
        {"type": "Warning", "message": "Failed to pull\nimage: not found"},
        {"type": "Warning", "message": "Error: ImagePullBackOff"},
        {"type": "Warning", "reason": "BackOff", "message": "Back-off pulling"},
        {"type": "Warning", "message": "skip schedule deleting pod: shop/shop-1"},
    ]
    assert explanation("shop-1", events) == "shop-1: Failed to pull image: not found"
    assert explanation("shop-1", events[:1]) == ""
