"""A feature's place in core/app.py: an import and an element of FEATURES. Pure."""

import ast
import re
from collections.abc import Callable

from trunkline.errors import Refusal

FEATURES = re.compile(r"^(FEATURES\b[^=\n]*= \()(.*?)(\)$)", re.MULTILINE | re.DOTALL)
IMPORT = re.compile(r"^from \. import (\([^)]*\)|.+)\n", re.MULTILINE)


def names_in(text: str) -> set[str]:
    """Return the names that a module binds at its top level, without features."""
    found: set[str] = set()
    for node in ast.parse(text).body:
        match node:
            case ast.ImportFrom(module=None, level=1):
                pass
            case ast.Import() | ast.ImportFrom():
                found |= {each.asname or each.name for each in node.names}
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(node.name)
            case _:
                names = (it for it in ast.walk(node) if isinstance(it, ast.Name))
                found |= {it.id for it in names if isinstance(it.ctx, ast.Store)}
    return found


def is_wired(text: str, name: str) -> bool:
    """Whether FEATURES lists a feature; raises Refusal where there is no such tuple."""
    return bool(re.search(rf"\b{name}\.feature\b", _features(text)[2]))


def add(text: str, name: str) -> str:
    """Import a feature and list it last; the result is not yet formatted."""
    if is_wired(text, name):
        return text
    whole, body = _features(text)[0], _features(text)[2]
    code = re.sub("#.*", "", body).rstrip()
    comma = "" if not code or code.endswith(",") else ","
    listed = f"{whole[:-1]}{comma}\n{name}.feature,\n)"
    return _import(text.replace(whole, listed), lambda names: [*names, name])


def remove(text: str, name: str) -> str:
    """Take a feature out again; the result is not yet formatted."""
    whole = _features(text)[0]
    left = re.sub(rf"\s*\b{name}\.feature\b,?", "", whole)
    return _import(
        text.replace(whole, left), lambda names: [it for it in names if it != name]
    )


def _features(text: str) -> re.Match[str]:
    found = FEATURES.search(text)
    if found is None:
        raise Refusal(
            rule="wiring",
            found="no tuple FEATURES in core/app.py",
            expected="`FEATURES: tuple[Feature, ...] = (billing.feature, …)`",
            fix="git log -p -G FEATURES",
        )
    return found


def _import(text: str, change: Callable[[list[str]], list[str]]) -> str:
    found = IMPORT.search(text)
    # Without such a line one goes before the first other import of our own parts.
    start = found.start() if found else text.index("from .")
    end = found.end() if found else start
    names = change(re.findall(r"\w+", found[1]) if found else [])
    line = f"from . import {', '.join(names)}\n" if names else ""
    return text[:start] + line + text[end:]
