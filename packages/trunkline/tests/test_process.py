import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trunkline.process import ProcessError, TimedOutError, end_group, run, watch

PYTHON = (sys.executable, "-c")


def test_output_and_exit_code_come_back() -> None:
    done = run([*PYTHON, "print('out'); raise SystemExit('err')"])
    assert (done.ok, done.text, done.complaint) == (False, "out", "err")


def test_a_failure_that_must_not_be_is_an_error() -> None:
    with pytest.raises(ProcessError, match="failed: exit code 4"):
        run([*PYTHON, "raise SystemExit(4)"], check=True)


def test_a_program_that_is_missing_is_named() -> None:
    with pytest.raises(ProcessError, match="`no-such-program` was not found"):
        run(["no-such-program"])


def test_a_program_that_takes_too_long_is_ended() -> None:
    with pytest.raises(ProcessError, match=r"not finished after 0\.1 seconds"):
        run([*PYTHON, "import time; time.sleep(60)"], timeout=0.1)


def test_what_a_program_started_ends_with_it_where_they_are_a_group(
    tmp_path: Path,
) -> None:
    code = f"""if True:
        import os, subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        open("{tmp_path}/child", "w").write(str(child.pid))
        time.sleep(60)"""
    with pytest.raises(TimedOutError):
        run([*PYTHON, code], timeout=1, group=True)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "child").read_text()), 0)


def test_a_program_ends_though_a_signal_has_broken_the_wait_for_it() -> None:
    child = subprocess.Popen(["sleep", "600"], process_group=0)
    # What a signal between two lines of `Popen.wait` leaves behind.
    child._waitpid_lock.acquire()  # type: ignore[attr-defined]
    end_group(child)
    assert child.returncode == -signal.SIGINT


def test_a_program_without_input_does_not_wait_for_any() -> None:
    assert run([*PYTHON, "import sys; print(len(sys.stdin.read()))"]).text == "0"


def test_the_environment_is_added_to() -> None:
    code = "import os; print(os.environ['ADDED'], 'PATH' in os.environ)"
    assert run([*PYTHON, code], env={"ADDED": "yes"}).text == "yes True"


@pytest.mark.parametrize("code", ["import time; time.sleep(600)", "pass"])
def test_ctrl_c_while_a_program_starts_leaves_none_behind(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def interrupted(*given: Any, **named: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401
        started.append(start(*given, **named))
        os.kill(os.getpid(), signal.SIGINT)
        return started[0]

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        watch([*PYTHON, code], cwd=tmp_path, env={}, tick=lambda: None)
    assert started[0].returncode is not None
    with pytest.raises(ProcessLookupError):
        os.killpg(started[0].pid, 0)


def test_a_watched_program_can_be_interrupted_by_others(tmp_path: Path) -> None:
    """A signal that is kept while it starts is not blocked in the program itself."""
    code = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
    done = watch([*PYTHON, code], cwd=tmp_path, env={}, tick=lambda: None)
    assert done.code == -signal.SIGTERM
