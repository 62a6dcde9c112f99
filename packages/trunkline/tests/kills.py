"""Kill a command with SIGKILL, at a step or after some time."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence

from samples import Sample

KILLER = """#!/bin/sh
# Count the programs that are started; kill the whole group at number $KILL_AT.
echo x >>"$KILL_COUNT"
if [ "$(wc -l <"$KILL_COUNT")" -eq "$KILL_AT" ]; then kill -9 0; fi
exec "{real}" "$@"
"""


def start(
    sample: Sample, command: Sequence[str], **env: str
) -> subprocess.Popen[bytes]:
    """Start a command in its own process group, which can be killed as a whole."""
    return subprocess.Popen(
        command,
        cwd=sample.root,
        env={**sample.env, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill_at_step(
    sample: Sample, step: int, command: Sequence[str], *, counted: Sequence[str]
) -> bool:
    """Kill a command when it starts the `step`-th of the counted programs.

    Returns False if the command ended before.
    """
    folder = sample.root.parent / "killers"
    folder.mkdir()
    for name in counted:
        real = sample.run("sh", "-c", f"command -v {name}").out.strip()
        script = folder / name
        script.write_text(KILLER.replace("{real}", real))
        script.chmod(0o755)
    process = start(
        sample,
        command,
        PATH=f"{folder}{os.pathsep}{sample.env['PATH']}",
        KILL_AT=str(step),
        KILL_COUNT=str(folder / "count"),
    )
    return process.wait(timeout=600) == -signal.SIGKILL


def kill_after(sample: Sample, seconds: float, command: Sequence[str]) -> None:
    """Kill a command after this time if it is still running."""
    process = start(sample, command)
    time.sleep(seconds)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=600)
