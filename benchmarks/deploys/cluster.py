"""Releases to a cluster under load, beside `kubectl set image` in the same run."""

import json
import os
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from deploy.engines.clusters import CONTEXT, Cluster, kubectl
from registries import running_registry
from trunkline.deploy.journal import DeployJournal

from benchmarks.deploys.hosts import Traffic, steps, traffic
from benchmarks.harness.benchmark import BenchmarkError, Comparison, UnavailableError

RELEASES = ("1.3.0", "1.3.1")
# At which kubectl writes a line for each request.
VERBOSE, REQUEST = "-v=6", "round_trippers"


def run(rounds: int) -> list[Comparison]:
    """Deploy two releases in turn, and let kubectl do the same to a twin."""
    if not os.environ.get(CONTEXT):
        raise UnavailableError(f"needs a cluster: {CONTEXT} names a context of kubectl")
    with (
        TemporaryDirectory(prefix="benchmark-") as folder,
        running_registry(Path(folder, "registry")) as server,
    ):
        cluster = Cluster(Path(folder), server)
        try:
            return _run(cluster, rounds)
        finally:
            cluster.end()


def _run(cluster: Cluster, rounds: int) -> list[Comparison]:
    for name in RELEASES:
        cluster.publish(name, name)
    _accept_releases(cluster)
    _deploy(cluster, RELEASES[1])
    requests = []
    with traffic(cluster.url.removeprefix("http://")) as seen:
        for number in range(rounds):
            cluster.requests()
            _deploy(cluster, RELEASES[number % 2])
            requests.append(len(cluster.requests()))
    journal = DeployJournal(cluster.folder.with_name("production") / "journal.db")
    past = journal.operations()[-rounds:]
    peer, took, asked = _peer(cluster, rounds)
    live, *split = steps("kubernetes", past)
    return [
        Comparison(
            what=f"kubernetes: lost of {seen.sent:,} at {seen.rate}, {rounds} deploys",
            unit="",
            peer=f"kubectl at {peer.rate}",
            ours=seen.lost,
            theirs=peer.lost,
        ),
        replace(live, peer="kubectl", theirs=median(took)),
        Comparison(
            what="kubernetes: requests to the API server in a deploy",
            unit="",
            peer="kubectl",
            ours=median(requests),
            theirs=median(asked),
        ),
        *split,
    ]


def _accept_releases(cluster: Cluster) -> None:
    """Make the environment a production: two pods, and no branch."""
    cluster.apply("production")
    file = cluster.clone.root / "pyproject.toml"
    table = 'environments.production]\naccepts = "releases"'
    file.write_text(file.read_text().replace("environments.staging]", table))


def _deploy(cluster: Cluster, version: str) -> None:
    ran = cluster.trunkline("deploy", version, "--to", "production")
    if ran.code:
        raise BenchmarkError(ran.err[-500:])


def _peer(cluster: Cluster, rounds: int) -> tuple[Traffic, list[float], list[int]]:
    """Set the image of a twin and wait until it is rolled out, as many times."""
    name = f"{cluster.name}-peer"
    images = {}
    with cluster.registry as registry:
        for tag in RELEASES:
            images[tag] = f"{cluster.server.host}/{cluster.path}@{registry.digest(tag)}"
    for one in _twin(cluster, name):
        cluster.own("create", "--filename=-", stdin=json.dumps(one))
    _verbose(cluster, "rollout", "status", f"deployment/{name}")
    service = json.loads(cluster.own("get", "service", name, "--output=json"))
    took, asked = [], []
    with traffic(f"{service['spec']['clusterIP']}:80") as seen:
        for number in range(rounds):
            image = f"{cluster.name}={images[RELEASES[number % 2]]}"
            began = perf_counter()
            asked.append(
                _verbose(cluster, "set", "image", f"deployment/{name}", image)
                + _verbose(cluster, "rollout", "status", f"deployment/{name}")
            )
            took.append(perf_counter() - began)
    return seen, took, asked


def _twin(cluster: Cluster, name: str) -> list[dict[str, Any]]:
    """Describe what serves beside ours, by the same image in the same way."""
    live = cluster.deployment()["spec"]
    pod = live["template"]["spec"]
    inner = pod["containers"][0]
    # The Secret of an operation ends with it.
    inner["env"] = [one for one in inner["env"] if "value" in one]
    labels = {"app": name}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": live["replicas"],
            "strategy": live["strategy"],
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    ports = [{"port": 80, "targetPort": "http"}]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": labels, "ports": ports},
    }
    return [deployment, service]


def _verbose(cluster: Cluster, *words: str) -> int:
    """Run kubectl as the owner, and return how many requests it made."""
    done = kubectl(VERBOSE, f"--namespace={cluster.name}", *words, check=False)
    if done.returncode:
        raise BenchmarkError(done.stderr[-500:])
    return done.stderr.count(REQUEST)
