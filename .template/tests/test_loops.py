"""The loops that a developer lives in: each answers on a save."""

import os
import pty
import re
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from asking import get

from tests.servers import (
    PATIENCE,
    ROOT,
    Program,
    clean_environment,
    free_port,
    running,
)

COPIED = ("src", "tests", "pyproject.toml", "README.md", "LICENSE", ".env.example")
# How the last verdict after a save begins; the keys of the loop follow it.
VERDICT = re.compile(r"(green|red): [^·\n]* · [\d.]+ s · Enter")
COLOUR = re.compile(r"\x1b\[[\d;]*[A-Za-z]")
PAGE = Path("src", "my_app", "core/platform/operations/landing_page.py")
BROKEN = Path("src", "my_app", "environment.py")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy the project to where a test may break it."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, tmp_path / name, ignore=ignored)
        else:
            shutil.copy(source, tmp_path / name)
    return tmp_path


def save(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def variables(copy: Path) -> dict[str, str]:
    """Have Python take the copy's sources before those that are installed."""
    return {"PYTHONPATH": str(copy / "src")}


@contextmanager
def watching(copy: Path, *command: str) -> Iterator[int]:
    """Run a program at a terminal of its own; yield the terminal."""
    environment = clean_environment() | variables(copy) | {"TERM": "xterm"}
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - the child
        os.chdir(copy)
        os.execvpe(command[0], command, environment)  # noqa: S606
    try:
        yield terminal
    finally:
        os.killpg(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)


def verdict(terminal: int) -> str:
    """Read the terminal up to the last verdict after a save; return what it showed."""
    shown = ""
    deadline = time.monotonic() + PATIENCE
    while not VERDICT.search(shown):
        assert time.monotonic() < deadline, f"no verdict: {shown}"
        if select.select([terminal], [], [], 0.1)[0]:
            shown += COLOUR.sub("", os.read(terminal, 65536).decode(errors="replace"))
    return shown


@contextmanager
def developing(copy: Path, output: Path) -> Iterator[tuple[Program, int]]:
    """Run the development server; yield it, once started, and its port."""
    port = free_port()
    command = ["fastapi", "dev", "src/my_app/main.py", f"--port={port}"]
    with running(command, output, variables(copy), cwd=copy) as program:
        program.wait_for("Application startup complete")
        yield program, port


def test_the_watcher_goes_red_and_green_on_a_save(copy: Path) -> None:
    broken = copy / BROKEN
    with watching(copy, "ptw", ".", "tests/test_config.py") as terminal:
        first = verdict(terminal)
        save(broken, "SIMILARITY = 0.85", "SIMILARITY = 1 / 0")
        red = verdict(terminal)
        save(broken, "SIMILARITY = 1 / 0", "SIMILARITY = 0.85")
        green = verdict(terminal)

    assert "[100%]" in first
    assert "ZeroDivisionError" in red
    assert "[100%]" in green
    assert "coverage" not in first + green


def test_the_watcher_stops_a_run_that_a_save_makes_stale(copy: Path) -> None:
    rules = copy / "src" / "my_app" / "core/platform/request_id.py"
    with watching(copy, "ptw", ".") as terminal:
        verdict(terminal)
        for _ in range(3):
            save(rules, '"""', '"""Saved. ')
            time.sleep(0.5)  # The run has begun, and has not ended.
        rules.write_text("1 / 0\n")

        assert "red: " in verdict(terminal)


def test_the_server_reloads_on_a_save(copy: Path, tmp_path: Path) -> None:
    page = copy / PAGE
    with developing(copy, tmp_path / "output") as (program, port):
        before = get(port, "/")
        save(page, "<h1>{", "<h1>New: {")
        program.wait_for(r"(?s)startup complete.*startup complete", saved=page)
        after = get(port, "/")

    assert b"<h1>New: " not in before
    assert b"<h1>New: " in after


def test_the_server_survives_a_mistake(copy: Path, tmp_path: Path) -> None:
    page = copy / PAGE
    with developing(copy, tmp_path / "output") as (program, port):
        save(page, "LINKS = {", "LINKS = 1 / 0 or {")
        program.wait_for("ZeroDivisionError", saved=page)
        save(page, "LINKS = 1 / 0 or {", "LINKS = {")
        again = r"(?s)startup complete.*ZeroDivision.*startup complete"
        program.wait_for(again, saved=page)

        assert b"200 OK" in get(port, "/")


def test_a_test_that_forgets_the_network_guard_fails(copy: Path) -> None:
    test = copy / "tests" / "test_network.py"
    test.write_text(
        "import socket\n\n\n"
        "def test_network() -> None:\n"
        "    socket.create_connection(('192.0.2.1', 80), timeout=1)\n"
    )
    done = subprocess.run(
        [shutil.which("pytest") or "pytest", "--no-cov", test],
        check=False,
        capture_output=True,
        text=True,
        cwd=copy,
        env=clean_environment() | variables(copy),
        timeout=PATIENCE,
    )

    assert done.returncode == 1
    assert "SocketConnectBlockedError" in done.stdout
