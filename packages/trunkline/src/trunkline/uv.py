"""Run uv, which is beside this program, on PATH, or the one that started it."""

import os
from collections.abc import Mapping
from pathlib import Path

from trunkline import process
from trunkline.process import Completed


def uv(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    timeout: float = 300,
) -> Completed:
    """Run uv quietly and capture what it prints; `uv run` names itself in $UV."""
    return process.run(
        [os.environ.get("UV", "uv"), *arguments], cwd=cwd, env=env, timeout=timeout
    )
