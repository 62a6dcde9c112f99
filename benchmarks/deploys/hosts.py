"""Deploys under load on both engines, beside `docker compose up -d` in the same run."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import sleep

from deploy.engines.hosts import Host
from deploy.shops import Shop, end_all
from registries import running_registry
from services import docker
from trunkline import process
from trunkline.deploy.journal import DeployJournal
from trunkline.deploy.operation import Operation, Outcome

from benchmarks.deploys.last_deploy import Last
from benchmarks.harness import machine
from benchmarks.harness.benchmark import (
    BenchmarkError,
    Comparison,
    UnavailableError,
)
from benchmarks.harness.processes import PROJECT, environment, free_port, get
from benchmarks.harness.samples import alone, spread

STEADY_LOAD, RATE = ("-m", "benchmarks.deploys.steady_load"), 250
MEGABYTE = 1_000_000
# How often a deploy is taken back within its window.
BACKS = 5
PEER = """\
name: {name}
services:
  service:
    image: {image}
    ports: ["127.0.0.1:{port}:8000"]
    stop_grace_period: 30s
"""


class Traffic:
    """What clients sent and lost while something happened."""

    sent = 0
    seconds = 0.0

    def __init__(self) -> None:
        # How many were lost, by the kind of error.
        self.kinds: dict[str, int] = {}

    @property
    def lost(self) -> int:
        """Return how many were lost."""
        return sum(self.kinds.values())

    @property
    def rate(self) -> str:
        """Return the rate that was reached, and what was lost, for a label."""
        lost = "".join(f", {kind} {many}" for kind, many in self.kinds.items())
        return f"{self.sent / max(self.seconds, 1):.0f}/s{lost}"


@contextmanager
def traffic(address: str) -> Iterator[Traffic]:
    """Ask a service all the time."""
    seen = Traffic()
    command = (
        sys.executable,
        "-m",
        "benchmarks.deploys.steady_load",
        address,
        str(RATE),
    )
    with subprocess.Popen(
        command, cwd=PROJECT, env=environment(), stdout=subprocess.PIPE
    ) as clients:
        try:
            sleep(1)
            yield seen
            sleep(1)
        finally:
            clients.send_signal(signal.SIGTERM)
            said = clients.communicate()[0]
    seen.sent, seen.kinds, seen.seconds = json.loads(said)


def local(rounds: int) -> list[Comparison]:
    """Deploy on this machine's own processes, from worktrees."""
    with TemporaryDirectory(prefix="benchmark-") as folder:
        shop = Shop(Path(folder))
        try:
            return _local(shop, rounds)
        finally:
            end_all(shop.folder)


def _local(shop: Shop, rounds: int) -> list[Comparison]:
    for name in ("one", "two"):
        shop.branch(name)
    shop.deploy("main").required()
    weights = []
    with traffic(shop.url.removeprefix("http://")) as seen:
        for number in range(rounds):
            # Nothing of the commit is here: what is measured is a change of code.
            commit = shop.branch(f"feat/{number}")
            shop.deploy(commit).required()
            weights.append(_weight(shop))
    past = DeployJournal(shop.folder / "journal.db").operations()[-rounds:]
    shop.set(window=30)
    shop.branch("last")
    last = Last(shop.root, os.environ)
    backs = [last.taken_back(lambda: shop.get()["text"]) for _ in range(BACKS)]
    shop.set(window=1)
    return [
        Comparison(
            what=f"local: lost of {seen.sent:,} at {seen.rate}, {rounds} deploys",
            unit="",
            ours=seen.lost,
            bounded=True,
        ),
        *steps("local", past),
        alone("local: rollback begins to old answers", "s", backs),
        *_recovery("local", last),
        *_growth("local", weights),
    ]


def _recovery(engine: str, last: Last) -> list[Comparison]:
    """Kill a deploy before its switch and after it, and let the next command go on."""
    return [
        alone(
            f"{engine}: killed at {step}, next command begins to {verdict}",
            "s",
            [last.recovered(step, verdict) for _ in range(BACKS)],
        )
        for step, verdict in (("start", "restore"), ("watch", "adopt"))
    ]


def steps(engine: str, past: Sequence[Operation]) -> list[Comparison]:
    """Split what a deploy took before its window, and its end, by step."""
    if any(one.ending is not Outcome.LIVE for one in past):
        raise BenchmarkError(f"{engine}: a deploy did not end live")
    ends = [[*one.steps, ("", one.at + one.seconds)] for one in past]
    found: dict[str, list[float]] = {}
    for one in ends:
        for (step, at), (_, then) in pairwise(one):
            found.setdefault(str(step), []).append(then - at)
    live = [dict(one.steps)["watch"] - one.at for one in past]  # type: ignore[index]
    return [
        alone(f"{engine}: click to live", "s", live),
        *(alone(f"{engine}: {step}", "s", took) for step, took in found.items()),
    ]


def _weight(shop: Shop) -> dict[str, float]:
    """Return what the environment takes on disk, and its processes in memory."""
    memory = 0
    for status in Path("/proc").glob("[0-9]*/environ"):
        try:
            mine = os.readlink(status.with_name("cwd")).startswith(str(shop.folder))
            held = machine.resident_bytes(int(status.parent.name)) if mine else 0
        except OSError:
            continue
        memory += held or 0
    return {"MB of disk": _disk(shop.folder), "MB of memory": memory / MEGABYTE}


def _disk(folder: Path) -> float:
    files = (one.lstat() for one in folder.rglob("*") if not one.is_symlink())
    return sum(one.st_blocks * 512 for one in files) / MEGABYTE


def _growth(engine: str, weights: Sequence[dict[str, float]]) -> list[Comparison]:
    """Compare the end with the beginning, once what is kept is there."""
    early, last = weights[min(2, len(weights) - 1)], weights[-1]
    return [
        Comparison(
            what=f"{engine}: {what} after {len(weights)} deploys",
            unit="",
            peer="after 3",
            ours=last[what],
            theirs=early[what],
            ratio=last[what] / early[what],
        )
        for what in last
    ]


def compose(rounds: int) -> list[Comparison]:
    """Deploy images, and let `docker compose up -d` do the same."""
    if not shutil.which("docker") or not process.run(["docker", "info"]).ok:
        raise UnavailableError("needs a container engine")
    with (
        TemporaryDirectory(prefix="benchmark-") as folder,
        running_registry(Path(folder, "registry")) as server,
    ):
        host = Host(Path(folder), server)
        try:
            return _compose(host, rounds)
        finally:
            host.end()


def _compose(host: Host, rounds: int) -> list[Comparison]:
    for name in ("one", "two", "last"):
        host.publish(name, name)
    host.patient()
    host.deployed("two")
    weights = []
    with traffic(f"127.0.0.1:{host.port}") as seen:
        for number in range(rounds):
            host.publish(f"feat-{number}", f"{number}")
            host.deployed(f"feat/{number}")
            weights.append(_weight_of_containers(host))
    past = DeployJournal(host.folder / "journal.db").operations()[-rounds:]
    project = (host.clone.root / "pyproject.toml").read_text()
    host.clone.write("pyproject.toml", project.replace("window = 2", "window = 30"))
    last = Last(host.clone.root, host.clone.env)
    backs = [last.taken_back(lambda: host.get()["kind"]) for _ in range(BACKS)]
    host.clone.write("pyproject.toml", project)
    recovery = _recovery("compose", last)
    ours = Comparison(
        what=f"compose: lost of {seen.sent:,} at {seen.rate}, {rounds} deploys",
        unit="",
        ours=seen.lost,
        bounded=True,
    )
    peer, back = _peer(host, rounds), steps("compose", past)
    lost = [peer.lost / rounds]
    per = Comparison(
        what=f"compose: lost in each deploy ({peer.rate} at the peer)",
        unit="",
        peer="compose up -d",
        ours=seen.lost / rounds,
        theirs=median(lost),
        spread=spread(lost),
    )
    return [
        *(ours, per, *back),
        alone("compose: rollback begins to old answers", "s", backs),
        *recovery,
        *_growth("compose", weights),
    ]


def _weight_of_containers(host: Host) -> dict[str, float]:
    """Return what a host takes on disk and in memory, and how many things it has."""
    found = docker("image", "ls", "--quiet", f"{host.server.host}/{host.path}").split()
    sizes = docker("image", "inspect", "--format={{.Size}}", *{*found}).split()
    mine = f"--filter=label=com.docker.compose.project={host.name}-staging"
    running = docker("ps", "--quiet", mine).split()
    pids = docker("inspect", "--format={{.State.Pid}}", *running).split()
    memory = sum(machine.resident_bytes(int(pid)) or 0 for pid in pids)
    things = [
        *docker("ps", "--all", "--quiet", mine).split(),
        *docker("volume", "ls", "--quiet", mine).split(),
        *docker("network", "ls", "--quiet", mine).split(),
    ]
    return {
        "MB of images": sum(map(int, sizes)) / MEGABYTE,
        "MB of memory": memory / MEGABYTE,
        "MB of variables, journal and files of the clone": _disk(host.folder),
        "containers, volumes and networks": len(things),
    }


def _peer(host: Host, rounds: int) -> Traffic:
    """Change the image of a service that publishes its port, as many times."""
    port, name = free_port(), f"{host.name}-staging-peer"
    file = host.clone.root / "peer.yaml"

    def up(tag: str) -> None:
        image = f"{host.server.host}/{host.path}:{tag}"
        file.write_text(PEER.format(name=name, image=image, port=port))
        ran = host.clone.run("docker", "compose", f"--file={file}", "up", "--detach")
        if ran.code:
            raise BenchmarkError(ran.err[-500:])
        while get(port, "/") is None:
            sleep(0.05)

    up("two")
    try:
        with traffic(f"127.0.0.1:{port}") as seen:
            for number in range(rounds):
                up(("one", "two")[number % 2])
    finally:
        host.clone.run("docker", "compose", f"--file={file}", "down", "--timeout=1")
    return seen
