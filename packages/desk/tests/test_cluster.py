"""The same desk over a cluster: an engine is one module, and none of it is here."""

from pathlib import Path

import pytest
from deploy.engines.clusters import Cluster, require_cluster
from registries import running_registry
from services import require_engine

from desks import DeskProcesses, listed, started

pytestmark = pytest.mark.slow


def test_a_branch_goes_on_a_cluster_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_cluster()
    require_engine()
    with running_registry(tmp_path / "registry") as server:
        cluster = Cluster(tmp_path, server)
        try:
            cluster.clone.git("config", "user.name", "ana")
            cluster.clone.git("config", "user.email", "ana@example.com")
            for branch, kind in (("main", "well"), ("feat/seats", "new")):
                cluster.clone.git("checkout", "--quiet", "-B", branch)
                commit = cluster.clone.commit(f"feat: {branch}")
                cluster.publish(branch.replace("/", "-"), kind, commit=commit)
            # Of a clone a desk knows its folder, and nothing else.
            one = DeskProcesses(tmp_path, cluster.clone)  # type: ignore[arg-type]
            with monkeypatch.context() as deployer:
                for name in ("KUBECONFIG", "PATH"):
                    deployer.setenv(name, cluster.clone.env[name])
                with started(one) as desk:
                    on_and_back(desk, cluster)
        finally:
            cluster.end()


def on_and_back(desk: DeskProcesses, cluster: Cluster) -> None:
    desk.until(lambda: b"feat/seats" in listed(desk))
    for ref, kind in (("main", "well"), ("feat/seats", "new")):
        assert desk.ask("staging", {"action": "put", "ref": ref}).status == 202
        desk.serves(ref)
        assert cluster.get()["kind"] == kind
    assert desk.ask("staging", {"action": "take back"}).status == 202
    desk.serves("main")
    assert cluster.get()["kind"] == "well"
