"""The loop ends with all that it has started, and leaves the terminal as it was."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from loop.projects import LAST, Shop, clean_environment, looping
from terminals import beside_python

pytestmark = pytest.mark.slow

# A test that cannot be interrupted, and a program that it has started.
STUBBORN = """
import os, pathlib, signal, subprocess, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "1000"])
pathlib.Path("pids.txt").write_text(f"{os.getpid()} {child.pid}")
while True:
    time.sleep(1)
"""


def running(pid: int) -> bool:
    with suppress(OSError):
        status = Path(f"/proc/{pid}/stat").read_text()
        return status.rpartition(")")[2].split()[0] != "Z"
    return False


def gone(pids: list[int]) -> bool:
    """Wait until none of the processes runs; the caller's patience is pytest's."""
    while any(map(running, pids)):
        time.sleep(0.02)
    return True


@pytest.fixture
def hanging(shop: Shop) -> Iterator[tuple[Shop, list[int]]]:
    """The loop in a run that hangs, and the processes of that run."""
    shop.save("shop/price.py", STUBBORN)
    pids = [int(pid) for pid in shop.wait_for("pids.txt").split()]
    assert all(map(running, pids))
    yield shop, pids
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_save_ends_a_run_that_cannot_be_interrupted(
    hanging: tuple[Shop, list[int]],
) -> None:
    shop, pids = hanging
    shop.save("shop/price.py", "PRICE = 1\n")

    assert shop.verdict()[0] == "green"
    assert gone(pids)


def test_a_run_ends_with_a_killed_loop(hanging: tuple[Shop, list[int]]) -> None:
    shop, pids = hanging
    os.kill(shop.terminal.pid, signal.SIGKILL)

    assert gone(pids)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_loop_ends_the_run_first(
    hanging: tuple[Shop, list[int]], number: int
) -> None:
    shop, pids = hanging
    os.kill(shop.terminal.pid, number)

    assert shop.terminal.ended() == 130
    assert gone(pids)


def test_ctrl_c_ends_the_loop_and_leaves_the_terminal_as_it_was(shop: Shop) -> None:
    assert not shop.terminal.line_mode()
    shop.terminal.type("\x03")
    shop.terminal.until("interrupted")

    assert shop.terminal.line_mode()
    assert shop.terminal.ended() == 130


def test_q_ends_the_loop(shop: Shop) -> None:
    shop.terminal.type("q")

    assert shop.terminal.ended() == 0


def test_enter_runs_all_tests_and_f_those_that_failed(project: Path) -> None:
    settings = project / "pyproject.toml"
    cached = settings.read_text().replace('"-p", "no:cacheprovider"', "")
    settings.write_text(cached)
    (project / "shop/price.py").write_text("PRICE = 2\n")
    with looping(project) as shop:
        assert "1 failed, 1 passed" in shop.terminal.until(LAST)
        shop.terminal.type("\r")
        assert "1 failed, 1 passed" in shop.terminal.until(LAST)
        shop.terminal.type("f")
        assert "1 failed in" in shop.terminal.until(LAST)


def test_p_stops_in_the_debugger_which_gets_the_keys(project: Path) -> None:
    (project / "shop/price.py").write_text("PRICE = 2\n")
    with looping(project, "-p", "cacheprovider") as shop:
        shop.verdict()
        shop.terminal.type("p")
        shop.terminal.until(r"\(Pdb\)")
        shop.terminal.type("p 40 + 2\r")
        shop.terminal.until("42")
        shop.terminal.type("q\r")

        assert shop.verdict()[0] == "red"


def test_without_a_terminal_the_output_is_plain(project: Path) -> None:
    log = project / "log.txt"
    with log.open("wb") as output:
        loop = subprocess.Popen(
            [beside_python("ptw"), "."],
            cwd=project,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        while b"green: all quick tests" not in log.read_bytes():
            time.sleep(0.02)
        (project / "shop/price.py").write_text("PRICE = 2\n")
        while b"red: tests/test_price.py" not in log.read_bytes():
            time.sleep(0.02)
    finally:
        loop.terminate()

    assert loop.wait() == 130
    assert b"2 passed" in log.read_bytes()
    assert b"\x1b" not in log.read_bytes()
    assert b"\r" not in log.read_bytes()
