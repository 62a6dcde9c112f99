"""A run of the tests in a fork of the loop."""

import signal
import subprocess
import sys

import pytest

# Python drops what a function that it calls while it forks raises.
PROGRAM = """
import os, signal, sys
from trunkline.loop.trial import Fork, begin
from trunkline.signals import interrupted_by_signals

loop = os.getpid()
os.register_at_fork(before=lambda: [os.kill(loop, int(sys.argv[1])), sum(range(9))])
with interrupted_by_signals():
    if isinstance(begin(), Fork):
        os._exit(0)
print("went on")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_comes_while_it_forks_is_not_lost(number: signal.Signals) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(int(number))],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == -signal.SIGINT
    assert ran.stdout == ""
    assert ran.stderr.endswith("KeyboardInterrupt\n")
