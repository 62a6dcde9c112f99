"""`trunkline-desk laptop`: two processes that begin and end together."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import urllib3
from registries import free_port

from visitors import ENVIRONMENTS

pytestmark = pytest.mark.slow


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(ENVIRONMENTS)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    return tmp_path


def words(clone: Path, port: int) -> list[str]:
    program = shutil.which("trunkline-desk", path=str(Path(sys.executable).parent))
    return [str(program), "laptop", str(clone), "--port", str(port)]


def until_answers(port: int) -> None:
    waiting = urllib3.Retry(total=600, backoff_factor=0.1, backoff_max=0.1)
    address = f"http://127.0.0.1:{port}/"
    answer = urllib3.request("GET", address, retries=waiting, redirect=False)
    assert answer.status == 303


def test_one_that_is_killed_leaves_no_runner(clone: Path) -> None:
    laptop = subprocess.Popen(words(clone, port := free_port()))
    try:
        until_answers(port)
        listing = ["pgrep", "--parent", str(laptop.pid)]
        found = subprocess.run(listing, capture_output=True, check=True)
    finally:
        laptop.kill()
        laptop.wait()
    runner = int(found.stdout)
    while Path(f"/proc/{runner}").exists():
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("name", "password", "found"),
    [
        ("ana", "", "password has 0"),
        ("ana", "x" * 1001, "password has 1001"),
        ("a" * 101, "x", "name has 101"),
    ],
)
def test_nobody_is_added_who_could_not_sign_in(
    tmp_path: Path, clone: Path, name: str, password: str, found: str
) -> None:
    database = f"sqlite:///{tmp_path / 'desk.db'}"
    settings = f'database = "{database}"\n[services]\nshop = "{clone}"\n'
    (tmp_path / "desk.toml").write_text(settings)
    program, *_ = words(clone, 0)
    argv = [program, "--config", str(tmp_path / "desk.toml"), "user", "add", name]
    ran = subprocess.run(
        argv, check=False, capture_output=True, text=True, input=password
    )
    assert ran.returncode == 2
    assert ran.stderr.startswith(f"the {found} characters; expected 1 to 100")


def test_a_port_in_use_is_told_with_what_to_type(clone: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ran = subprocess.run(
            words(clone, port), check=False, capture_output=True, text=True
        )
    assert ran.returncode == 2
    assert f"port {port} of 127.0.0.1 is in use" in ran.stderr
    again = ran.stderr.rpartition("type next: ")[2].split()
    assert again == [*words(clone, port), "--port", str(port + 1)]


def test_a_page_that_stays_open_does_not_keep_it_from_ending(clone: Path) -> None:
    laptop = subprocess.Popen(words(clone, port := free_port()))
    try:
        until_answers(port)
        address = f"http://127.0.0.1:{port}/stream"
        urllib3.request("GET", address, preload_content=False)
    finally:
        laptop.send_signal(signal.SIGINT)
    assert laptop.wait() == 130
