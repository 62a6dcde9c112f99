"""Values of GitHub's expressions: how they convert and compare. Pure.

The rules are those of "Evaluate expressions in workflows and actions" in GitHub's
documentation: loose equality, numbers where the types differ, text without case.
"""

import json
import math
import re
from typing import Any

from trunkline.errors import FailedError

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|0x[0-9a-fA-F]+|0o[0-7]+")


class ExpressionError(FailedError):
    """An expression that is wrong, or asks for what is not known on this machine."""


class Known(dict[str, Any]):
    """An object of which every property is known: to ask for another is an error.

    In any other object a property that is missing is null, as it is for GitHub.
    """

    def __init__(self, name: str, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.name = name


def truthy(value: object) -> bool:
    """Whether a value counts as true."""
    if isinstance(value, float):
        return value != 0 and not math.isnan(value)
    return value is not None and value is not False and value != ""


def to_text(value: object) -> str:
    """Convert to text, as in the middle of a string."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() else f"{value:.15g}"
        case dict():
            return "Object"
        case list():
            return "Array"
    return str(value)


def to_number(value: object) -> float:
    """Convert to a number, NaN if there is none in it."""
    match value:
        case None | bool() | float():
            return float(value or 0)
        case str():
            return _read_number(value.strip())
    return math.nan


def _read_number(text: str) -> float:
    if not text:
        return 0.0
    if not _NUMBER.fullmatch(text):
        return math.nan
    return float(int(text, 0)) if text[:2] in ("0x", "0o") else float(text)


def equal(left: object, right: object) -> bool:
    """Compare as `==` does: objects by identity, text without case."""
    if type(left) is not type(right) and not (
        isinstance(left, dict) and isinstance(right, dict)
    ):
        return to_number(left) == to_number(right)
    if isinstance(left, str) and isinstance(right, str):
        return left.lower() == right.lower()
    if isinstance(left, dict | list):
        return left is right
    return left == right


def less(left: object, right: object) -> bool:
    """Compare as `<` does."""
    if isinstance(left, str) and isinstance(right, str):
        return left.lower() < right.lower()
    return to_number(left) < to_number(right)


def from_json(text: str) -> Any:  # noqa: ANN401 - whatever is in the text
    """Read JSON; raises ExpressionError if it is none."""
    try:
        return numbers(json.loads(text))
    except ValueError as error:
        raise ExpressionError(f"fromJSON cannot read {text!r}: {error}") from error


def numbers(value: object) -> Any:  # noqa: ANN401
    """Make every number a float, for expressions know no other."""
    match value:
        case bool() | None | str():
            return value
        case int() | float():
            return float(value)
        case list():
            return [numbers(item) for item in value]
        case dict():
            return {str(key): numbers(item) for key, item in value.items()}
    return str(value)


def to_json(value: object) -> str:
    """Write JSON with two spaces of indentation, as toJSON does."""
    return json.dumps(_integers(value), indent=2, ensure_ascii=False)


def _integers(value: object) -> object:
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_integers(item) for item in value]
        case dict():
            return {key: _integers(item) for key, item in value.items()}
    return value
