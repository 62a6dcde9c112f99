"""Write a version into the files that hold it. Pure."""

import re

import tomlkit


def write_project(text: str, version: str) -> str:
    """Write the version into pyproject.toml."""
    document = tomlkit.parse(text)
    document["project"]["version"] = version
    return tomlkit.dumps(document)


def write_lock(text: str, package: str, version: str) -> str:
    """Write the version of a package into uv.lock."""
    # uv writes names in lower case and with hyphens.
    name = re.sub(r"[-_.]+", "-", package).lower()
    document = tomlkit.parse(text)
    for entry in document["package"]:
        if entry["name"] == name:
            entry["version"] = version
    return tomlkit.dumps(document)


def write_pattern(text: str, pattern: str, old: str, new: str) -> str:
    """Replace the version in the lines that match an entry of `version_files`."""
    wanted = re.compile(pattern or re.escape(old))
    return "\n".join(
        line.replace(old, new) if wanted.search(line) else line
        for line in text.split("\n")
    )
