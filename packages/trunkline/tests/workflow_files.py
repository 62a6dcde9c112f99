"""The workflows and composite actions of this repository."""

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # copier depends on it

from samples import REPOSITORY

FILES = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))
ACTIONS = sorted((REPOSITORY / "github").glob("*/action.yml"))


def read(path: Path) -> dict[str, Any]:
    """Read a file; every scalar stays text, because YAML 1.1 takes `on` for true."""
    document = yaml.load(path.read_text(), Loader=yaml.BaseLoader)  # noqa: S506
    assert isinstance(document, dict)
    return document


def workflow(name: str) -> dict[str, Any]:
    return read(REPOSITORY / f".github/workflows/{name}.yml")
