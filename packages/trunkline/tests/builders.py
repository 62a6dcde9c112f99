"""What the engine's builder did in a build, and how it forgets a part of that."""

import json
from collections.abc import Iterator
from typing import Any

from services import docker

# The form in which BuildKit reports its steps for `built_steps`.
REPORTED = {"BUILDKIT_PROGRESS": "rawjson"}
# How a layer is described that came from a cache: its step is not named.
IMPORTED = "imported sha256:"


def built_steps(output: str) -> list[str]:
    """Name the steps of a Dockerfile that were run, and not taken from a cache."""
    steps: dict[str, dict[str, Any]] = {}
    for line in output.splitlines():
        if line.startswith('{"vertexes"'):
            for step in json.loads(line)["vertexes"]:
                steps.setdefault(step["digest"], {}).update(step)
    return sorted(
        step["name"]
        for step in steps.values()
        if step["name"].startswith("[")
        and not step["name"].startswith("[internal]")
        and " FROM " not in step["name"]
        and not step.get("cached")
    )


def forget_step(text: str) -> None:
    """Remove the layer of the step that contains a text, and all that are above it.

    So do layers from other caches. For a build with this step that is an empty builder,
    and what else was built on this machine is kept.
    """
    while found := "|".join(_above(text)):
        docker("buildx", "prune", "--all", "--force", f"--filter=id=/{found}/")


def _above(text: str) -> Iterator[str]:
    listed = docker("buildx", "du", "--format=json")
    records = [json.loads(line) for line in listed.splitlines()]
    known = {
        one["ID"]
        for one in records
        if text in one["Description"] or one["Description"].startswith(IMPORTED)
    }
    while (
        more := {
            one["ID"] for one in records if known.intersection(one["Parents"] or ())
        }
        - known
    ):
        known |= more
    yield from known
