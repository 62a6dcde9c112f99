"""YAML as GitHub reads it: version 1.2, in which `on` is a word and no truth value."""

from pathlib import Path
from typing import Any

from trunkline.errors import UsageError


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - whatever is in the file
    """Read a file as `parse_yaml` does."""
    try:
        return parse_yaml(str(path), path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error


def parse_yaml(name: str, text: str) -> Any:  # noqa: ANN401
    """Read a text; raises UsageError if it is no YAML or has a key twice."""
    # Slow to import, and only needed where workflows are run.
    from ruamel.yaml import YAML  # noqa: PLC0415
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    try:
        return YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError) as error:
        raise UsageError(f"{name} cannot be read: {error}") from error
