"""Deploys on this machine: real git, uv, Caddy and processes."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from registries import free_port
from trunkline import process

pytestmark = pytest.mark.slow

SERVICE = """
import http.server, json, os, signal, sys, threading

TEXT = "TEXT"

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        said = {"/version": {"commit": os.environ["APP_COMMIT"]}}.get(
            self.path, {"text": TEXT, "greeting": os.environ.get("GREETING")}
        )
        body = json.dumps(said).encode()
        self.send_response(503 if "sick" in TEXT else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

def main():
    if "exits" in TEXT:
        sys.exit("cannot start: " + TEXT)
    address = (os.environ["APP_HOST"], int(os.environ["APP_PORT"]))
    server = http.server.ThreadingHTTPServer(address, Handler)
    stop = lambda *_: threading.Thread(target=server.shutdown).start()
    signal.signal(signal.SIGTERM, stop)
    server.serve_forever()
"""
PROJECT = """
[project]
name = "shop"
version = "0.0.0"
requires-python = ">=3.12"
scripts.shop = "shop:main"
[build-system]
requires = ["uv_build>=0.13,<0.14"]
build-backend = "uv_build"
[tool.trunkline.environments.staging]
url = "http://127.0.0.1:{port}"
window = 1
variables = ["staging.env"]
keep = 1
[tool.trunkline.environments.production]
url = "http://127.0.0.1:{port}"
accepts = "releases"
"""


class Shop:
    """A clone of a small service, and its staging environment."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self.folder = root / ".git/trunkline/deploy/staging"
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "ana")
        self.git("config", "user.email", "ana@example.com")
        self.write("pyproject.toml", PROJECT.replace("{port}", str(port)))
        self.write(".python-version", "3.12\n")
        self.write(".gitignore", "staging.env\n")
        self.write("staging.env", "GREETING=hello\n")
        self.write("src/shop/__init__.py", SERVICE)
        process.uv("lock", cwd=root).required()
        self.branch("main")

    def git(self, *words: str) -> None:
        process.run(["git", *words], cwd=self.root, check=True)

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def branch(self, name: str) -> None:
        self.git("checkout", "--quiet", "-B", name)
        self.write("src/shop/__init__.py", SERVICE.replace('"TEXT"', f'"{name}"'))
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"feat: {name}")

    def trunkline(self, *words: str) -> process.Completed:
        argv = [sys.executable, "-m", "trunkline", *words]
        return process.run(argv, cwd=self.root, timeout=120)

    def get(self) -> dict[str, str]:
        answer = urllib3.request("GET", self.url, retries=False, timeout=5)
        assert answer.status == 200, answer.data
        found: dict[str, str] = answer.json()
        return found

    def end(self) -> None:
        for alive in self.folder.rglob("*.lock"):
            pid = alive.with_name("pid" if alive.stem == "alive" else "proxy.pid")
            if pid.exists() and process.launched(alive):
                os.killpg(int(pid.read_text()), signal.SIGKILL)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.end()


def test_a_branch_goes_on_staging_and_comes_back_without_a_lost_request(
    shop: Shop,
) -> None:
    shop.trunkline("deploy", "main", "--to", "staging").required()
    shop.branch("feat/login")
    shop.write("staging.env", "GREETING=good morning\n")
    lost, sent, done = [], [], threading.Event()

    def load() -> None:
        while not done.is_set():
            try:
                sent.append(shop.get()["text"])
            except (AssertionError, urllib3.exceptions.HTTPError) as error:
                lost.append(error)

    clients = [threading.Thread(target=load) for _ in range(2)]
    for client in clients:
        client.start()
    try:
        shop.trunkline("deploy", "feat/login", "--to", "staging").required()
        assert shop.get() == {"text": "feat/login", "greeting": "good morning"}
        shop.trunkline("rollback", "staging").required()
    finally:
        done.set()
        for client in clients:
            client.join()
    # The variables are those of then.
    assert shop.get() == {"text": "main", "greeting": "hello"}
    assert (lost, set(sent)) == ([], {"main", "feat/login"})
    told = json.loads(shop.trunkline("status", "staging", "--json").text)
    assert (told["ref"], told["well"], told["unfinished"]) == ("main", True, None)
    kinds = [
        o["kind"]
        for o in json.loads(shop.trunkline("history", "staging", "--json").text)
    ]
    assert kinds == ["take back", "deploy", "deploy"]


def test_a_sick_or_ending_branch_leaves_the_old_one_serving(shop: Shop) -> None:
    shop.trunkline("deploy", "main", "--to", "staging").required()
    shop.branch("exits")
    ran = shop.trunkline("deploy", "exits", "--to", "staging")
    assert ran.code == 1
    assert "ended before it was ready" in ran.complaint
    assert "cannot start: exits" in ran.complaint
    assert shop.get()["text"] == "main"


def test_what_is_no_longer_kept_leaves_nothing_on_the_disk(shop: Shop) -> None:
    for name in ("one", "two", "three"):
        shop.branch(name)
        shop.trunkline("deploy", name, "--to", "staging").required()
    assert len(list(shop.folder.glob("trees/*/src"))) == 2
    assert len(list(shop.folder.glob("instances/*"))) == 2


def test_production_refuses_what_is_no_release(shop: Shop) -> None:
    ran = shop.trunkline("deploy", "main", "--to", "production", "--dry-run")
    assert ran.code == 1
    assert "releases-only" in ran.complaint


def test_after_a_kill_the_next_deploy_finishes_by_the_facts(shop: Shop) -> None:
    shop.trunkline("deploy", "main", "--to", "staging").required()
    shop.branch("feat/login")
    argv = [
        sys.executable,
        "-m",
        "trunkline",
        "deploy",
        "feat/login",
        "--to",
        "staging",
    ]
    with subprocess.Popen(
        argv, cwd=shop.root, stderr=subprocess.PIPE, text=True
    ) as one:
        assert one.stderr
        for line in one.stderr:
            if line.strip() == "watch":
                one.kill()
    assert shop.get()["text"] == "feat/login"
    ran = shop.trunkline("rollback", "staging")
    assert "the interrupted deploy ended: adopt" in ran.complaint
    assert shop.get()["text"] == "main"
    assert len(list(shop.folder.glob("instances/*"))) == 3
