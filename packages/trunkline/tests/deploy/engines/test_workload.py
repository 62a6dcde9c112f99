"""What kubectl says, read without a cluster."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from samples import REPOSITORY
from trunkline.deploy.engines.objects import MANAGER
from trunkline.deploy.engines.workload import Workload
from trunkline.deploy.environments import Environment
from trunkline.errors import Refusal

GONE = "unable to retrieve container logs for containerd://28c10ee6abf0"
KUBECTL = """\
#!/bin/sh
case "$*" in
    *--previous*) echo "{previous}" ;;
    *) echo "{now}" ;;
esac
"""


@pytest.mark.parametrize(
    ("previous", "now"), [(GONE, "no such thing"), ("no such thing", GONE)]
)
@pytest.mark.parametrize("restarts", [0, 1])
def test_the_last_lines_come_from_the_container_that_is_still_there(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    previous: str,
    now: str,
    restarts: int,
) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL.format(previous=previous, now=now))
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    pod = {
        "metadata": {"name": "shop-1"},
        "spec": {"containers": [{"name": "web"}]},
        "status": {"containerStatuses": [{"name": "web", "restartCount": restarts}]},
    }
    workload = Workload(Environment(name="staging", url="http://shop"), "shop")
    assert workload.logs(pod) == "no such thing"


# A cluster of one Deployment, which is a file; every patch has its `test` first.
CLUSTER = """\
#!{python}
import json, sys
from pathlib import Path
file, words = Path("{folder}/deployment.json"), sys.argv[1:]
if "apply" in words and Path(words[-1], "kustomization.yaml").exists():
    Path("{folder}/applied.json").rename(file)
elif "patch" in words:
    found = json.loads(file.read_text())
    patch = json.loads(words[-1].removeprefix("--patch="))
    if "--type=json" in words:
        test, remove = patch
        *_, place = remove["path"].split("/")
        fields = found["metadata"]["managedFields"]
        assert fields.pop(int(place))["manager"] == test["value"]
    else:
        found["spec"] |= patch["spec"]
    file.write_text(json.dumps(found))
elif file.exists():
    print(file.read_text())
"""


def managed(*managers: str) -> dict[str, Any]:
    """Return a Deployment whose image these set."""
    image: dict[str, Any] = {"f:image": {}}
    for key in ('k:{"name":"shop"}', "f:containers", "f:spec", "f:template", "f:spec"):
        image = {key: image}
    fields = [{"manager": one, "fieldsV1": image} for one in managers]
    container = {"name": "shop", "image": "shop@sha256:1"}
    return {
        "metadata": {"managedFields": fields},
        "spec": {"template": {"metadata": {}, "spec": {"containers": [container]}}},
    }


@pytest.fixture
def workload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workload:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(CLUSTER.format(python=sys.executable, folder=tmp_path))
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return Workload(Environment("staging", "http://shop", namespace="shop"), "shop")


def type_next(refusal: Refusal) -> str:
    """Type what a refusal says, and return what is printed."""
    command = refusal.fix.partition("  (")[0]
    ran = subprocess.run(
        ["sh", "-c", command], cwd=REPOSITORY, check=True, capture_output=True
    )
    return ran.stdout.decode()


def test_a_deployment_that_is_missing_is_there_once_it_is_applied(
    workload: Workload, tmp_path: Path
) -> None:
    (tmp_path / "applied.json").write_text(json.dumps(managed()))
    with pytest.raises(Refusal, match="no Deployment shop") as refused:
        workload.read()
    type_next(refused.value)
    assert workload.read() == managed()


def test_another_field_manager_is_gone_once_its_fields_are_removed(
    workload: Workload, tmp_path: Path
) -> None:
    file = tmp_path / "deployment.json"
    file.write_text(json.dumps(managed(MANAGER, "helm")))
    with pytest.raises(Refusal, match="helm sets the image") as refused:
        workload.require_own(workload.read(), ())
    type_next(refused.value)
    workload.require_own(workload.read(), ())
    assert workload.read() == managed(MANAGER)


def test_a_deployment_that_starts_no_pods_is_fit_once_it_is_scaled(
    workload: Workload, tmp_path: Path
) -> None:
    found = managed(MANAGER)
    found["spec"]["replicas"] = 0
    (tmp_path / "deployment.json").write_text(json.dumps(found))
    with pytest.raises(Refusal, match="shop has replicas: 0") as refused:
        workload.require_fit(workload.read())
    type_next(refused.value)
    workload.require_fit(workload.read())
    assert workload.read()["spec"]["replicas"] == 1


def test_a_context_with_a_space_is_typed_as_one_word(
    workload: Workload, tmp_path: Path
) -> None:
    (tmp_path / "deployment.json").write_text(json.dumps(managed("helm")))
    workload.options.append("--context=the office")
    (tmp_path / "kubectl").write_text('#!/bin/sh\nprintf "%s\\n" "$@"')
    assert "--context=the office" in type_next(workload.changed(managed())).split("\n")


# A pod that is never ready, and writes down each probe.
SICK = """\
#!{python}
import json, sys
words = sys.argv[1:]
notes = {{"trunkline.dev/operation": "op1"}}
pod = {{"metadata": {{"name": "shop-1", "annotations": notes}}}}
pod["spec"] = {{"containers": [{{"name": "web"}}]}}
event = {{"type": "Warning", "message": "Readiness probe failed: 503"}}
if "logs" in words:
    print("not ready: no such table")
    print("GET /readyz 503\\nGET /healthz 200\\n" * 30)
elif "pods" in words:
    print(json.dumps({{"items": [pod]}}))
elif "events" in words:
    print(json.dumps({{"items": [event]}}))
else:
    selector = {{"matchLabels": {{"app": "shop"}}}}
    print(json.dumps({{"spec": {{"selector": selector}}}}))
"""


def test_probes_do_not_hide_why_a_pod_is_not_ready(
    workload: Workload, tmp_path: Path
) -> None:
    (tmp_path / "kubectl").write_text(SICK.format(python=sys.executable))
    why, *lines = filter(None, workload.explain("op1").splitlines())
    assert why == "shop-1: Readiness probe failed: 503"
    assert lines == ["not ready: no such table"]


@pytest.mark.parametrize("name", ["staging", "production"])
def test_a_missing_deployment_is_applied_from_the_overlay_of_its_environment(
    workload: Workload, name: str
) -> None:
    workload.environment = replace(workload.environment, name=name)
    with pytest.raises(Refusal) as refused:
        workload.read()
    overlay = f"kubernetes/overlays/{name}"
    assert (
        refused.value.fix
        == f"kubectl --namespace=shop apply --server-side -k {overlay}"
    )
    assert (REPOSITORY / overlay / "kustomization.yaml").exists()


def test_a_rollout_may_take_longer_than_any_other_command(
    workload: Workload, tmp_path: Path
) -> None:
    workload.patience = 0.2
    slow = f"#!/bin/sh\nsleep 0.5\ntouch {tmp_path}/rolled-out\n"
    (tmp_path / "kubectl").write_text(slow)
    workload.wait(5)
    assert (tmp_path / "rolled-out").exists()


def test_what_was_put_on_meanwhile_is_shown(workload: Workload, tmp_path: Path) -> None:
    (tmp_path / "deployment.json").write_text(json.dumps(managed("helm")))
    refusal = workload.changed(workload.read())
    assert "something else" in refusal.found
    assert json.loads(type_next(refusal)) == managed("helm")
