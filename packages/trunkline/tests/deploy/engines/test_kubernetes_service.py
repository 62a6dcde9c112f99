"""A service of this template on a real cluster, with its database."""

from pathlib import Path

import pytest

from deploy.engines.clusters import Cluster
from services import own_service

pytestmark = pytest.mark.slow
# Ready once it has been set up, for which it listens to nobody else.
DATABASE = """\
apiVersion: v1
kind: Pod
metadata: { name: database }
spec:
  containers:
    - name: database
      image: postgres:15
      env:
        - { name: POSTGRES_USER, value: my_app }
        - { name: POSTGRES_PASSWORD, value: hush }
        - { name: LANG, value: C.UTF-8 }
      readinessProbe:
        exec: { command: [pg_isready, -h, localhost] }
        periodSeconds: 1
"""


def test_a_service_of_this_template_migrates_the_database_of_its_pods(
    cluster: Cluster, tmp_path: Path
) -> None:
    own = own_service(tmp_path, cluster.server)
    cluster.serve_database(DATABASE)
    variables = cluster.clone.read("staging.env")
    # On a loaded node a connection may take longer than the usual five seconds.
    patience = "APP_DATABASE_CONNECT_TIMEOUT_SECONDS=60\n"
    cluster.clone.write("staging.env", variables + patience)
    settings = cluster.clone.read("pyproject.toml")
    for ours, theirs in (
        (f'name = "{cluster.name}"', 'name = "my-app"'),
        (cluster.path, own.registry.name.path),
        ("window =", f'workload = "{cluster.name}"\nwindow ='),
    ):
        settings = settings.replace(ours, theirs)
    cluster.clone.write("pyproject.toml", settings)
    ran = cluster.deploy("main")
    assert (ran.code, "will migrate: " in ran.err) == (0, True), ran.all
    assert cluster.get("/version")["commit"] == own.sample.git("rev-parse", "HEAD")
    plan = cluster.trunkline("deploy", "main", "--to", "staging", "--dry-run")
    assert (plan.code, "nothing to migrate" in plan.all) == (0, True), plan.all
    cluster.clone.write("staging.env", variables)
    cluster.configure(cluster.server, jobs=False)
    cluster.deployed("main")
