"""`make setup` where the tool comes from a private repository: CI's token, or none."""

import base64
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # copier depends on it

ROOT = Path(__file__).parents[2]
TOKEN = "github_pat_of_the_test"  # noqa: S105
HOST = "https://github.com"
TOOL = """
[project]
name = "trunkline"
version = "1.0.0"
requires-python = ">=3.12"

[build-system]
requires = ["uv_build>=0.9"]
build-backend = "uv_build"
"""
SERVICE = """
[project]
name = "my-app"
version = "0.0.0"
requires-python = ">=3.12"

[dependency-groups]
dev = ["trunkline"]

[tool.uv.sources]
trunkline = {{ git = "{address}", tag = "v1.0.0", subdirectory = "packages/trunkline" }}
"""


class Private(SimpleHTTPRequestHandler):
    """Serve a folder to those who know the token."""

    def do_GET(self) -> None:
        _, _, encoded = self.headers.get("Authorization", "").partition(" ")
        _, _, password = base64.b64decode(encoded).decode().partition(":")
        if password == TOKEN:
            super().do_GET()
            return
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="private"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[str]:
    """Serve a private repository team/template with the tool, released once."""
    folder = tmp_path / "tool"
    module = folder / "packages/trunkline/src/trunkline/__init__.py"
    module.parent.mkdir(parents=True)
    module.touch()
    (folder / "packages/trunkline/pyproject.toml").write_text(TOOL)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "feat: begin")
    git(folder, "tag", "v1.0.0")
    served = tmp_path / "host"
    git(tmp_path, "clone", "-q", "--bare", "tool", str(served / "team/template"))
    # What git needs to read a repository from a server that only knows files.
    git(served / "team/template", "update-server-info")
    handler = partial(Private, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Make a service of which only `make setup` is of interest."""
    folder = tmp_path / "service"
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    git(folder, "init", "-q")
    return folder


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=A Tester", "-c", "user.email=tester@example.com")
    subprocess.run(["git", *identity, *arguments], check=True, cwd=folder)  # noqa: S607


def set_up(clone: Path, host: str, token: str) -> subprocess.CompletedProcess[str]:
    """Run the step "Environment" of github/setup, in which `host` is GitHub."""
    action = (ROOT / "github/setup/action.yml").read_text().replace(HOST, host)
    action = action.replace("ssh://git@github.com/", f"ssh://git@{host[7:]}/")
    steps = yaml.safe_load(action)["runs"]["steps"]
    (step,) = (step for step in steps if step.get("name") == "Environment")
    values = {
        "${{ inputs.template-token }}": token,
        "${{ inputs.template-token != '' && '2' || '0' }}": "2" if token else "0",
    }
    foreign = re.compile("GIT_|UV_|VIRTUAL_ENV|PYTEST_|COV_")
    kept = {name: it for name, it in os.environ.items() if not foreign.match(name)}
    own = {name: values.get(value, value) for name, value in step["env"].items()}
    home = clone.parent / "home"
    home.mkdir(exist_ok=True)
    return subprocess.run(
        ["bash", "-c", step["run"]],  # noqa: S607
        check=False,
        cwd=clone,
        capture_output=True,
        text=True,
        timeout=300,
        env={
            **kept,
            **own,
            "HOME": str(home),
            "UV_LOCKED": "0",
            "UV_CACHE_DIR": str(clone.parent / "cache"),
            "UV_PYTHON": sys.executable,
            "GIT_TERMINAL_PROMPT": "0",
        },
    )


@pytest.mark.parametrize("scheme", ["http", "ssh"])
def test_a_clone_with_the_token_is_set_up(clone: Path, host: str, scheme: str) -> None:
    address = f"{host}/team/template"
    if scheme == "ssh":
        address = address.replace("http://", "ssh://git@")
    (clone / "pyproject.toml").write_text(SERVICE.format(address=address))

    done = set_up(clone, host, TOKEN)

    assert done.returncode == 0, done.stderr
    assert list(clone.glob(".venv/lib/*/site-packages/trunkline-1.0.0.dist-info"))
    assert TOKEN not in done.stdout + done.stderr
    files = [file for file in clone.parent.rglob("*") if file.is_file()]
    assert not [file for file in files if TOKEN.encode() in file.read_bytes()]


@pytest.mark.parametrize("token", ["", "another"])
def test_a_clone_without_it_says_what_to_do(clone: Path, host: str, token: str) -> None:
    address = f"{host}/team/template"
    (clone / "pyproject.toml").write_text(SERVICE.format(address=address))

    done = set_up(clone, host, token)

    assert done.returncode != 0
    assert f"make setup: git cannot read {address}\n" in done.stderr
    assert "type next: gh auth login && gh auth setup-git && make setup" in done.stderr
    assert "TEMPLATE_TOKEN" in done.stderr
