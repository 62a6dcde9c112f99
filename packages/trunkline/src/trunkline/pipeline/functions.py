"""The functions of GitHub's expressions. Pure but for hashFiles, which reads."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trunkline.pipeline.expressions import Function
from trunkline.pipeline.values import (
    ExpressionError,
    equal,
    from_json,
    to_json,
    to_text,
)

_FIELD = re.compile(r"\{\{|\}\}|\{(\d+)\}|[{}]")


def functions(
    *,
    success: bool,
    failure: bool,
    workspace: Path | None = None,
) -> Mapping[str, Function]:
    """Return every function by name; nothing is ever cancelled here."""

    def hash_files(*patterns: object) -> str:
        if workspace is None:
            raise ExpressionError("hashFiles is known only in the steps of a job")
        return hash_of(workspace, [to_text(pattern) for pattern in patterns])

    return {
        "contains": contains,
        "startsWith": lambda text, start: _fold(text).startswith(_fold(start)),
        "endsWith": lambda text, end: _fold(text).endswith(_fold(end)),
        "format": format_,
        "join": join,
        "toJSON": to_json,
        "fromJSON": lambda text: from_json(to_text(text)),
        "hashFiles": hash_files,
        "success": lambda: success,
        "failure": lambda: failure,
        "always": lambda: True,
        "cancelled": lambda: False,
    }


def contains(where: object, what: object) -> bool:
    """Whether a list has an item, or a text another text, without case."""
    if isinstance(where, list):
        return any(equal(item, what) for item in where)
    return _fold(what) in _fold(where)


def join(values: object, separator: object = ",") -> str:
    """Join a list's items."""
    items = values if isinstance(values, list) else [values]
    return to_text(separator).join(to_text(item) for item in items)


def format_(template: object, *values: object) -> str:
    """Put values in the place of {0}, {1}, …; {{ and }} are braces."""

    def field(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if match[1] is None or int(match[1]) >= len(values):
            raise ExpressionError(
                f"format({to_text(template)!r}, …) has {len(values)} values, "
                f"none for `{match[0]}`"
            )
        return to_text(values[int(match[1])])

    return _FIELD.sub(field, to_text(template))


def hash_of(workspace: Path, patterns: list[str]) -> str:
    """Hash the files that patterns name, in order; empty text if there are none."""
    found = {
        path
        for pattern in patterns
        for path in workspace.glob(pattern)
        if path.is_file()
    }
    if not found:
        return ""
    digests = [hashlib.sha256(path.read_bytes()).digest() for path in sorted(found)]
    return hashlib.sha256(b"".join(digests)).hexdigest()


def _fold(value: Any) -> str:  # noqa: ANN401
    return to_text(value).lower()
