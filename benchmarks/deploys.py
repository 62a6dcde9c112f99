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
from time import perf_counter, sleep

from deploy.engines.hosts import Host
from deploy.shops import Shop, end_all
from registries import running_registry
from trunkline import process
from trunkline.deploy.journal import DeployJournal
from trunkline.deploy.operation import Operation, Outcome

from benchmarks import machine
from benchmarks.benchmark import BenchmarkError, Bound, Comparison, UnavailableError
from benchmarks.processes import PROJECT, environment, free_port, get
from benchmarks.samples import alone, spread

RATE = 250
MEGABYTE = 1_000_000
NONE_LOST = Bound(limit=0)
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
    command = (sys.executable, "-m", "benchmarks.clients", address, str(RATE))
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
    backs = [_back(shop) for _ in range(min(rounds, 3))]
    return [
        Comparison(
            what=f"local: lost of {seen.sent:,} at {seen.rate}, {rounds} deploys",
            unit="",
            ours=seen.lost,
            bounded=True,
        ),
        *steps("local", past),
        alone("local: rollback begins to old answers", "s", backs),
        *_growth("local: disk", [one[0] for one in weights]),
        *_growth("local: memory", [one[1] for one in weights]),
    ]


def _back(shop: Shop) -> float:
    """Return the time from the command to an answer of the old one."""
    old = shop.get()["text"]
    with shop.deploying("last", until="watch") as one:
        begun = perf_counter()
        argv = shop.argv("rollback", "staging")
        quiet = subprocess.DEVNULL
        with subprocess.Popen(argv, cwd=shop.root, stdout=quiet, stderr=quiet) as back:
            while shop.get()["text"] != old:
                sleep(0.005)
            took = perf_counter() - begun
            back.wait()
        one.wait()
    return took


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


def _weight(shop: Shop) -> tuple[float, float]:
    """Return what the environment takes on disk, and of its processes in memory."""
    files = (one.lstat() for one in shop.folder.rglob("*") if not one.is_symlink())
    memory = 0
    for status in Path("/proc").glob("[0-9]*/environ"):
        try:
            mine = os.readlink(status.with_name("cwd")).startswith(str(shop.folder))
            held = machine.resident_bytes(int(status.parent.name)) if mine else 0
        except OSError:
            continue
        memory += held or 0
    return sum(one.st_blocks * 512 for one in files) / MEGABYTE, memory / MEGABYTE


def _growth(what: str, values: Sequence[float]) -> list[Comparison]:
    """Compare the end with the beginning, once what is kept is there."""
    third = values[2] if len(values) > 2 else values[-1]  # noqa: PLR2004
    return [
        Comparison(
            what=f"{what} after {len(values)} deploys",
            unit="MB",
            peer="after 3",
            ours=values[-1],
            theirs=third,
            ratio=values[-1] / third,
        )
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
    names = ("one", "two")
    for name in names:
        host.publish(name, name)
    # On a loaded machine a start takes longer than a test has patience.
    project = host.clone.root / "pyproject.toml"
    patient = project.read_text().replace("smoke_seconds = 4", "smoke_seconds = 60")
    project.write_text(patient)
    host.deployed("two")
    with traffic(f"127.0.0.1:{host.port}") as seen:
        for number in range(rounds):
            host.deployed(names[number % 2])
    past = DeployJournal(host.folder / "journal.db").operations()[-rounds:]
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
    return [ours, per, *back]


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
