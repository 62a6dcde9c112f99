"""Edit `[tool.uv]` of pyproject.toml with its comments and layout kept. Pure.

uv refuses a workspace member whose source is git ("Workspace members must be declared
as workspace sources"), so a member in prod mode is also excluded from the workspace.
"""

import re
from typing import Any

import tomlkit

from trunkline.workspace.members import WORKSPACE, Source, normal


def with_source(
    text: str, *, name: str, folder: str, source: Source, excluded: bool | None = None
) -> str:
    """Return pyproject.toml with another source for the package in `folder`.

    The folder is excluded from the workspace if the source is not the workspace, unless
    `excluded` says otherwise. Unchanged, to the byte, if everything is so already.
    """
    document: Any = tomlkit.parse(text)
    uv = document["tool"]["uv"]
    if excluded is None:
        excluded = source != WORKSPACE
    _exclude(uv.get("workspace", {}), folder, excluded=excluded)
    sources = uv.setdefault("sources", tomlkit.table())
    key = next((key for key in sources if normal(key) == name), name)
    if dict(sources.get(key, {})) != dict(source):
        sources[key] = tomlkit.value(_inline(source))
    edited: str = tomlkit.dumps(document)
    # tomlkit ends the lines that it adds with `\n` only.
    windows = text.count("\n") == text.count("\r\n")
    return re.sub(r"(?<!\r)\n", "\r\n", edited) if windows else edited


def _inline(source: Source) -> str:
    """Write an inline table with the spaces that uv itself writes."""
    pairs = (f"{k} = {tomlkit.item(v).as_string()}" for k, v in source.items())
    return f"{{ {', '.join(pairs)} }}"


def _exclude(workspace: Any, folder: str, *, excluded: bool) -> None:  # noqa: ANN401
    present = workspace.get("exclude")
    if excluded and present is None:
        workspace["exclude"] = [folder]
    elif excluded and folder not in present:
        present.append(folder)
    elif not excluded and present is not None and folder in present:
        present.remove(folder)
        if not present:
            workspace.remove("exclude")
