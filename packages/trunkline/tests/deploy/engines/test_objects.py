"""What is applied to a cluster, and what its objects say."""

from typing import Any

import pytest

from trunkline.deploy.engines.objects import (
    NOTHING,
    Revision,
    ending,
    exit_code,
    explanation,
    job,
    other_owner,
    over,
    restarted,
    revision_of,
    rolled_out,
    serves,
    stuck,
    unfit,
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


def pod(*others: dict[str, Any], **status: object) -> dict[str, Any]:
    """A pod of ours, beside whose container a mesh may have put others."""
    own = {"name": "web", "restartCount": 0, **status}
    return {
        "metadata": {},
        "spec": {"containers": [{"name": "web"}, *others]},
        "status": {"containerStatuses": [*others, own]},
    }


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
    # The team's own, whatever its Secret is called.
    theirs = {"secretKeyRef": {"name": "shop-db", "key": "url"}}
    inner["env"].append({"name": "APP_DATABASE_URL", "valueFrom": theirs})
    inner["env"].append({"name": "APP_ENVIRONMENT", "value": "staging"})
    pod_of["spec"]["containers"].append({"name": "sidecar"})
    new = Revision("op2", "beef", "shop@sha256:0b", ("GREETING", "TOKEN"))
    made = job(owner, new, name="shop-command", argv=["shop", "x"], deadline=9.0)
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
        "APP_DATABASE_URL": "a secret",
        "APP_ENVIRONMENT": "staging",
        "GREETING": "a secret",
        "TOKEN": "a secret",
    }
    assert {
        one["valueFrom"]["secretKeyRef"]["name"]
        for one in only["env"]
        if "valueFrom" in one
    } == {"shop-db", "shop-op2"}


def test_a_variable_that_a_branch_no_longer_has_is_none_of_its_job() -> None:
    made = job(deployment(), Revision("op2", "b", IMAGE), name="a", argv=[], deadline=9)
    assert made["spec"]["template"]["spec"]["containers"][0]["env"] == []


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
    # But a variable may not: the server would refuse it later, after the migration.
    found = owned("kubectl", **{"f:image": {}, "f:env": {'k:{"name":"GREETING"}': {}}})
    found["spec"]["template"]["spec"]["containers"][0]["image"] = NOTHING
    assert other_owner(found, ["GREETING"]) == (2, "kubectl", "the variable GREETING")


def test_a_pod_is_stuck_or_restarted() -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff"}}
    states = (pod(state=waiting), pod(state=STARTING), pod(state={"running": {}}))
    assert [stuck(one) for one in states] == [True, False, False]
    first = pod(state=STARTING)
    first["status"]["initContainerStatuses"] = [{"state": waiting}]
    assert stuck(first)
    assert restarted(pod(restartCount=1))
    assert not restarted(pod({"name": "mesh", "restartCount": 1}))


def test_a_program_is_over_whatever_a_sidecar_still_does() -> None:
    mesh = {"name": "mesh", "state": {"running": {}}}
    ended = pod(mesh, state={"terminated": {"exitCode": 3}})
    assert (over(ended), exit_code(ended)) == (True, 3)
    running = pod({**mesh, "state": {"terminated": {"exitCode": 0}}}, state={})
    assert (over(running), exit_code(running)) == (False, None)
    # At its deadline the cluster ends it, which the Job is about to say.
    ended["metadata"]["deletionTimestamp"] = "2026-11-28T07:00:00Z"
    assert not over(ended)


@pytest.mark.parametrize(
    ("field", "bad"), [("paused", True), ("replicas", 0), ("revisionHistoryLimit", 0)]
)
def test_a_deployment_that_could_not_end_a_rollout_is_unfit(
    field: str, bad: object
) -> None:
    found = deployment()
    assert unfit(found) is None
    found["spec"][field] = bad
    assert unfit(found) == (field, bad, {"paused": False, "replicas": 1}.get(field, 10))


def test_what_serves_has_a_pod_that_takes_requests() -> None:
    assert serves(deployment(REVISION, replicas=4, availableReplicas=2))
    assert not serves(deployment(REVISION, replicas=4))


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


@pytest.mark.parametrize(
    "cause",
    [
        'Error: secret "shop" not found',
        "Error: couldn't find key url in Secret staging/shop",
        "Error: container has runAsNonRoot and image will run as root",
    ],
)
def test_what_the_kubelet_names_as_an_error_is_a_cause(cause: str) -> None:
    events = [{"type": "Warning", "reason": "Failed", "message": cause}]
    assert explanation("shop-1", events) == f"shop-1: {cause}"


def test_a_pod_that_found_room_is_not_sick_for_want_of_room() -> None:
    # Newer servers give the scheduler's events no time: their order says nothing.
    room = {"type": "Warning", "reason": "FailedScheduling", "message": "0/3 nodes"}
    placed = {"type": "Normal", "reason": "Scheduled", "message": "on node-4"}
    crash = {"type": "Warning", "reason": "BackOff", "message": "restarting failed"}
    assert explanation("shop-1", [room]) == "shop-1: 0/3 nodes"
    assert explanation("shop-1", [placed, room, crash]) == ""
