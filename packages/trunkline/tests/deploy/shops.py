"""A clone of a small service that misbehaves as the name of its branch says."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import urllib3

from registries import free_port
from samples import Sample
from trunkline import process

# Seconds between two requests of a client: as fast as it can, it would take the machine
# from the deploy, and from the tests beside.
PAUSE = 0.04
SERVICE = '''
"""Standard library alone."""

import http.server, json, os, signal, sqlite3, sys, threading, time

TEXT = "TEXT"
MIGRATIONS = ["one"]
asked = []
stopping = threading.Event()


def talk():
    print("a word\\n" * 2 * 10**6 + "and the last", flush=True)


class Handler(http.server.BaseHTTPRequestHandler):
    def stream(self):
        """Send events until the service is stopped, and a last one a second later."""
        self.protocol_version = "HTTP/1.1"
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while not stopping.wait(0.1):
            self.tell(f"{time.time()} {TEXT}")
        time.sleep(1)
        self.tell(f"{time.time()} bye")
        self.wfile.write(b"0\\r\\n\\r\\n")

    def tell(self, event):
        line = f"data: {event}\\n\\n".encode()
        self.wfile.write(b"%x\\r\\n%s\\r\\n" % (len(line), line))

    def do_GET(self):
        if self.path == "/stream":
            return self.stream()
        status, said = 200, {"text": TEXT, "greeting": os.environ.get("GREETING")}
        if self.path == "/version":
            said = {"commit": "0" * 40 if "liar" in TEXT else os.environ["APP_COMMIT"]}
            flags = [name for name in os.environ if name.startswith("ENABLE_")]
            said["flags"] = {name: os.environ[name] == "true" for name in flags}
        if self.path == "/readyz":
            asked.append(time.monotonic())
            turned = "turns" in TEXT and asked[-1] > asked[0] + 1
            status = 503 if "sick" in TEXT or turned else 200
        if self.path == "/slow":
            time.sleep(1)
        if self.path == "/talk":
            talk()
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 100


def migrations(words):
    file = os.environ["APP_DATABASE_URL"].removeprefix("sqlite:///")
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("CREATE TABLE IF NOT EXISTS done (id)")
    done = [row[0] for row in database.execute("SELECT id FROM done ORDER BY rowid")]
    if words[0] == "migrate":
        if "hangs" in TEXT:
            print("waiting for a lock", file=sys.stderr, flush=True)
            time.sleep(60)
        if "breaks" in TEXT:
            sys.exit("cannot migrate with " + os.environ["GREETING"])
        for one in MIGRATIONS if len(words) == 1 else []:
            if one not in done:
                database.execute("INSERT INTO done VALUES (?)", [one])
        for one in done[-int(words[2]):] if words[1:2] == ["--down"] else []:
            database.execute("DELETE FROM done WHERE id = ?", [one])
        return
    pending = [one for one in MIGRATIONS if one not in done]
    subject = "Add it\\x1b[31m" + "!" * 300
    unknown = [one for one in done if one not in MIGRATIONS]
    state = {(0, 0): "same", (1, 0): "behind", (0, 1): "ahead", (1, 1): "unknown"}
    print(json.dumps({
        "state": state[bool(pending), bool(unknown)],
        "current": done[-1:],
        "pending": [{"id": one, "subject": subject} for one in pending],
        "unknown": unknown,
    }))


def main():
    if sys.argv[1:]:
        return migrations(sys.argv[1:])
    if "talks" in TEXT:
        talk()
    if "exits" in TEXT:
        sys.exit(f"cannot start {TEXT}: {dict(os.environ)}")
    address = (os.environ["APP_HOST"], int(os.environ["APP_PORT"]))
    server = Server(address, Handler)
    def stop(*_):
        stopping.set()
        threading.Thread(target=server.shutdown).start()
    signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in TEXT else stop)
    server.serve_forever()
    os._exit(0) if "stubborn" in TEXT else server.server_close()
'''
PROJECT = """
[project]
name = "shop"
version = "0.0.0"
requires-python = ">=3.12"
scripts.shop = "shop:main"
[build-system]
requires = ["uv_build>=0.13,<0.14"]
build-backend = "uv_build"
[tool.trunkline]
migrations = "src/shop/migrations"
smoke_seconds = 10
[tool.trunkline.environments.staging]
url = "http://127.0.0.1:{port}"
window = 1
room = 1
variables = ["staging.env"]
keep = 1
[tool.trunkline.environments.production]
url = "http://127.0.0.1:{port}"
accepts = "releases"
"""


class Shop:
    """A clone of the service, and its staging environment."""

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

    def git(self, *words: str) -> str:
        return process.run(["git", *words], cwd=self.root, check=True).text

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def branch(self, name: str, *migrations: str) -> str:
        """Make a branch whose service has these migrations; return its commit."""
        self.git("checkout", "--quiet", "-B", name)
        listed = f"MIGRATIONS = {json.dumps(['one', *migrations])}"
        service = SERVICE.replace('MIGRATIONS = ["one"]', listed)
        self.write("src/shop/__init__.py", service.replace('"TEXT"', f'"{name}"'))
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"feat: {name}")
        return self.git("rev-parse", "HEAD")

    def set(self, **changed: object) -> None:
        """Change the settings of staging."""
        text = (self.root / "pyproject.toml").read_text()
        head, section, rest = text.partition("environments.staging]\n")
        table, mark, end = rest.partition("[tool.")
        lines = [one for one in table.splitlines() if one.split(" ")[0] not in changed]
        lines += [f"{name} = {json.dumps(value)}" for name, value in changed.items()]
        self.write(
            "pyproject.toml", head + section + "\n".join(lines) + f"\n{mark}{end}"
        )

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "trunkline", *words]

    def trunkline(self, *words: str, **variables: str) -> process.Completed:
        sample = Sample(self.root, self.root, {**os.environ, **variables})
        ran = sample.trunkline(*words)
        out, err = ran.out.encode(), ran.err.encode()
        return process.Completed(words, ran.code, out, err)

    def deploy(self, ref: str, *words: str) -> process.Completed:
        return self.trunkline("deploy", ref, "--to", "staging", *words)

    @contextmanager
    def deploying(self, ref: str, *, until: str) -> Iterator[subprocess.Popen[str]]:
        """Deploy in a group of its own until a step is printed; kill what is left."""
        with subprocess.Popen(
            self.argv("deploy", ref, "--to", "staging"),
            cwd=self.root,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        ) as one:
            assert one.stderr
            said = iter(one.stderr)
            assert any(line.strip() == until for line in said)
            yield one
            if one.poll() is None:
                os.killpg(one.pid, signal.SIGKILL)

    def get(self, path: str = "/") -> dict[str, str]:
        answer = urllib3.request("GET", self.url + path, retries=False, timeout=5)
        assert answer.status == 200, answer.data
        found: dict[str, str] = answer.json()
        return found

    def history(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(
            self.trunkline("history", "staging", "--json").text
        )
        return found

    def running(self) -> int:
        """Count the instances that run."""
        locks = self.folder.glob("instances/*/alive.lock")
        return sum(process.launched(one) for one in locks)

    @contextmanager
    def load(self) -> Iterator[list[str]]:
        """Ask all the time, also slowly; yields the answers, none of which is lost."""
        lost, sent, done = [], [], threading.Event()

        def ask(path: str) -> None:
            while not done.wait(PAUSE):
                try:
                    sent.append(self.get(path)["text"])
                except (AssertionError, urllib3.exceptions.HTTPError) as error:
                    lost.append(error)

        paths = ("/", "/", "/slow")
        clients = [threading.Thread(target=ask, args=(one,)) for one in paths]
        for client in clients:
            client.start()
        try:
            yield sent
        finally:
            done.set()
            for client in clients:
                client.join()
        assert sent
        assert lost == []


def end_all(folder: Path) -> None:
    """Kill the proxies and the instances of all environments below a folder."""
    for alive in folder.rglob("*.lock"):
        pid = alive.with_name("pid" if alive.stem == "alive" else "proxy.pid")
        if pid.exists() and process.launched(alive):
            os.killpg(int(pid.read_text()), signal.SIGKILL)
