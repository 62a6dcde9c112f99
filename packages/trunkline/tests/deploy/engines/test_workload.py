"""What kubectl says, read without a cluster."""

from pathlib import Path

import pytest

from trunkline.deploy.engines.workload import Workload
from trunkline.deploy.environments import Environment

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
        "status": {"containerStatuses": [{"restartCount": restarts}]},
    }
    workload = Workload(Environment(name="staging", url="http://shop"), "shop")
    assert workload.logs(pod) == "no such thing"
