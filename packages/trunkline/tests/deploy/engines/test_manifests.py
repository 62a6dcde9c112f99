"""`kubernetes/`: the same objects by kustomize and by Helm, as new servers like."""

import json
import re
import shutil
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from deploy.engines.clusters import DOCUMENT
from my_app.config import Settings
from registries import missing
from samples import REPOSITORY
from trunkline import process
from trunkline.deploy.engines.objects import Revision, job, secret

pytestmark = pytest.mark.slow
FOLDER = REPOSITORY / "kubernetes"
STAGING = {
    "environment": "staging",
    "host": "staging.my-app.example.com",
    "minReplicas": 1,
    "maxReplicas": 2,
}
# Renders the chart without a cluster, and checks objects against published schemas.
PROGRAM = """\
import json, sys
import helm_python, kubernetes_validate
folder, values, objects = json.load(sys.stdin)
newest = int(kubernetes_validate.latest_version().split(".")[1])
for minor in range(newest - 2, newest + 1):
    for one in objects:
        kubernetes_validate.validate(one, f"1.{minor}", strict=True)
print(json.dumps(helm_python.Chart.load(folder).render(values)))
"""


def by_kustomize(overlay: str) -> list[dict[str, Any]]:
    if shutil.which("kubectl") is None:
        missing("no kubectl on this machine")
    argv = ["kubectl", "kustomize", str(FOLDER / "overlays" / overlay)]
    return objects_in(process.run(argv, check=True).text)


def by_helm(values: dict[str, object], *validated: dict[str, Any]) -> Any:  # noqa: ANN401
    """Render the chart, and validate objects for the three newest releases."""
    needed = ("--with=helm-python-sdk==0.2.2", "--with=kubernetes-validate==1.37.0")
    argv = ["uv", "run", "--no-project", "--quiet", *needed, "python", "-c", PROGRAM]
    stdin = json.dumps([str(FOLDER), values, validated]).encode()
    done = process.run(argv, stdin=stdin, timeout=300, check=True)
    return json.loads(done.text)


def objects_in(text: str) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(text) if one]


def by_name(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in objects}


@pytest.mark.parametrize(
    ("overlay", "values"), [("staging", STAGING), ("production", {})]
)
def test_helm_renders_what_kustomize_does_and_new_servers_take_it(
    overlay: str, values: dict[str, object]
) -> None:
    expected = by_kustomize(overlay)
    role = objects_in((FOLDER / "deployer.yaml").read_text())
    deployment = by_name(expected)["Deployment"]
    new = Revision("op1", "beef", "my-app@sha256:0b", ("GREETING",))
    asked = job(deployment, new, name="my-app-command", argv=["my-app"], deadline=9)
    applied = (asked, secret("my-app", "op1", {"GREETING": "hello"}))
    found = by_helm(values, *expected, *role, *applied)
    assert by_name(objects_in("\n".join(found.values()))) == by_name(expected)
    assert len(expected) == 5


@pytest.mark.parametrize("overlay", ["staging", "production"])
def test_a_pod_is_asked_gently_and_may_do_little(overlay: str) -> None:
    objects = by_name(by_kustomize(overlay))
    spec = objects["Deployment"]["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    env = {one["name"]: one.get("value") for one in container["env"]}
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["automountServiceAccountToken"] is False
    assert {*container["resources"]["requests"]} == {"cpu", "memory"}
    delay = int(env["APP_SHUTDOWN_DELAY_SECONDS"])
    grace = Settings.model_fields["shutdown_grace_seconds"].default
    assert delay == 3
    assert pod["terminationGracePeriodSeconds"] > delay + grace + 5
    (database,) = (one for one in container["env"] if one["name"].endswith("_URL"))
    assert {*database["valueFrom"]} == {"secretKeyRef"}
    assert objects["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1


def test_the_page_writes_the_address_of_a_database_as_the_service_does() -> None:
    source = (REPOSITORY / "src/my_app/core/platform/db/database.py").read_text()
    (address,) = re.findall("postgresql://[A-Z:@/]+", source)
    assert f"`{address}`" in DOCUMENT.read_text()


def test_there_is_little_of_it() -> None:
    files = [file for file in FOLDER.rglob("*") if file.is_file()]
    lines = sum(len(file.read_text().splitlines()) for file in files)
    assert (len(files) <= 8, lines <= 150) == (True, True)
