"""Measure the page: time with many branches, weight, what open pages cost, a click.

In packages/desk:
PYTHONPATH=tests:../trunkline/tests:../.. uv run python benchmarks/page.py
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import urllib3
from registries import free_port

from desks import DeskProcesses, running_desk
from trunkline_desk import people
from trunkline_desk.claims import Role
from visitors import Web, candidate

ROUNDS, STREAMS, CLICKS = 200, 200, 11
FIRST_STEP = b'class="now"'


def main() -> None:
    """Print a row for each figure."""
    print("load of this machine, by the minute:", *os.getloadavg())
    for number in (100, 10_000):
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), number)
    with tempfile.TemporaryDirectory() as folder, running_desk(Path(folder)) as desk:
        waits = [click(desk, ("main", "feat/seats")[n % 2]) for n in range(CLICKS)]
        backs = [take_back(desk) for _ in range(CLICKS)]
    # What was too fast to be seen has no time.
    for said, taken in (
        ("an open page names its first step", [one for one in waits if one]),
        ("taken back in the window", backs),
    ):
        middle, last = statistics.median(taken) * 1e3, max(taken) * 1e3
        print(f"click → {said}: {middle:.0f} ms, at most {last:.0f}")


def take_back(desk: DeskProcesses) -> float:
    """Put a branch on, and take it back in its window; return the seconds of that."""
    desk.shop.set(window=60)
    desk.ask("staging", {"action": "put", "ref": "feat/seats"})
    desk.until(lambda: desk.status()["ref"] == "feat/seats")
    began = time.perf_counter()
    desk.ask("staging", {"action": "take back"})
    while desk.shop.get()["text"] != "main":
        time.sleep(0.01)
    taken = time.perf_counter() - began
    desk.serves("main")
    return taken


def click(desk: DeskProcesses, ref: str) -> float:
    """Put a branch on; return the seconds until an open page names its first step."""
    pool = urllib3.PoolManager()
    headers = {"Authorization": f"Bearer {desk.tokens['put']}"}
    found = 0.0
    with closing(opened(desk.url, desk.tokens["put"])) as stream:
        began = time.perf_counter()
        asked = desk.ask("staging", {"action": "put", "ref": ref})
        path = f"staging/requests/{asked.json()['key']}"
        for line in stream.makefile("rb"):
            if line.startswith(b"data:"):
                page = pool.request("GET", f"{desk.url}/shop", headers=headers).data
                if FIRST_STEP in page:
                    found = time.perf_counter() - began
                if found or ended(desk, path):
                    break
    desk.serves(ref)
    return found


def ended(desk: DeskProcesses, path: str) -> bool:
    """Whether it was too fast to be seen."""
    return desk.ask(path).json()["state"] in {"done", "failed"}


def measure(folder: Path, number: int) -> None:
    """Serve a page with so many branches by the real web process."""
    port = free_port()
    web = Web(folder, url=f"http://127.0.0.1:{port}")
    subjects = (f"Do thing number {one} for the customer" for one in range(number))
    web.now = time.time()
    web.list(*(candidate(f"feat/{n}", subject=one) for n, one in enumerate(subjects)))
    with web.store.writing() as connection:
        token = people.add_token(connection, "benchmark", Role.DEPLOYER)
    web.store.close()
    file = folder / "desk.toml"
    file.write_text(
        f'url = "{web.desk.url}"\ndatabase = "{web.desk.database}"\n'
        f'[services]\nshop = "{folder}"\n'
    )
    argv = [sys.executable, "-m", "trunkline_desk", "--config", str(file), "serve"]
    with subprocess.Popen([*argv, "--port", str(port)]) as serve:
        try:
            report(web.desk.url, token, number, serve.pid)
        finally:
            serve.terminate()


def report(url: str, token: str, number: int, pid: int) -> None:
    """Ask, and print."""
    headers = {"Authorization": f"Bearer {token}"}
    pool = urllib3.PoolManager(retries=urllib3.Retry(20, backoff_factor=0.1))
    weight = len(pool.request("GET", f"{url}/shop", headers=headers).data)
    for path in ("/shop", "/shop?find=number+77"):
        taken, spent = [], computed(pid)
        for _ in range(ROUNDS):
            began = time.perf_counter()
            answer = pool.request("GET", url + path, headers=headers)
            taken.append(time.perf_counter() - began)
            assert answer.status == 200, answer.data
        taken.sort()
        print(
            f"{number:6} branches  {path:22} p50 {taken[ROUNDS // 2] * 1e3:.0f} ms, "
            f"p95 {taken[ROUNDS * 95 // 100] * 1e3:.0f} ms, "
            f"{(computed(pid) - spent) / ROUNDS * 1e3:.0f} ms of a core, {weight} bytes"
        )
    before = memory(pid)
    streams = [opened(url, token) for _ in range(STREAMS)]
    time.sleep(2)
    print(
        f"{STREAMS} streams: {(memory(pid) - before) / 1024:.0f} MiB more than before"
    )
    began = time.perf_counter()
    pool.request("GET", f"{url}/shop", headers=headers)
    print(f"  a page meanwhile: {(time.perf_counter() - began) * 1e3:.0f} ms")
    for one in streams:
        one.close()


def opened(url: str, token: str) -> socket.socket:
    """Open a stream, and wait for its head."""
    host = urlsplit(url)
    one = socket.create_connection((host.hostname or "", host.port or 80))
    words = ("GET /stream HTTP/1.1", f"Host: {host.netloc}")
    lines = (*words, f"Authorization: Bearer {token}", "", "")
    one.sendall("\r\n".join(lines).encode())
    with closing(one.makefile("rb")) as read:
        assert b"200" in read.readline()
    return one


def computed(pid: int) -> float:
    """Return the seconds for which a process had a core, which no other one slows."""
    found = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(found[11]) + int(found[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> int:
    """Return the resident memory in KiB."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(status.partition("VmRSS:")[2].split()[0])


if __name__ == "__main__":
    main()
