"""Run uv: the one that started this process, or else the one on PATH."""

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
    """Run uv and capture its output; `uv run` sets $UV to its own path."""
    return process.run(
        [os.environ.get("UV", "uv"), *arguments], cwd=cwd, env=env, timeout=timeout
    )
