import sys

import pytest

from trunkline.process import ProcessError, run

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


def test_a_program_without_input_does_not_wait_for_any() -> None:
    assert run([*PYTHON, "import sys; print(len(sys.stdin.read()))"]).text == "0"


def test_the_environment_is_added_to() -> None:
    code = "import os; print(os.environ['ADDED'], 'PATH' in os.environ)"
    assert run([*PYTHON, code], env={"ADDED": "yes"}).text == "yes True"
