"""`[tool.trunkline]` of pyproject.toml, with defaults."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, cast, get_origin

from trunkline.errors import UsageError


@dataclass(frozen=True, slots=True)
class Settings:
    """What a team may set. Every field has a default that fits most repositories."""

    trunk: str = "main"
    remote: str = "origin"
    # Name of the image with its registry and without tag, such as
    # ghcr.io/acme/my-app; the project's own name if empty.
    image: str = ""
    # Registries that are asked by plain http; those on this machine always are.
    insecure_registries: list[str] = field(default_factory=list)
    # What `prune` leaves alone: patterns of tags, images of commits younger than that
    # many days, and those of the trunk's newest commits (0: of all).
    keep: list[str] = field(default_factory=list)
    keep_days: int = 14
    keep_commits: int = 0
    # Seconds to wait for an answer of the remote.
    timeout: int = 60
    # The class that declares the feature flags, as "module:Class".
    flags: str = ""
    # What the image is built from, and for which machines.
    dockerfile: str = "Dockerfile"
    platform: str = "linux/amd64"
    # Variables of the environment that the build gets as its arguments.
    build_args: list[str] = field(default_factory=list)
    # Secrets of the build, by id: a file, or "$NAME" for a variable of the environment.
    build_secrets: dict[str, Any] = field(default_factory=dict)
    # The environment in which a new image is tested, and a command to run in it first.
    smoke: dict[str, Any] = field(default_factory=dict)
    prepare: str = ""
    # Seconds that a new image gets to be ready.
    smoke_seconds: int = 90
    # The folder with the revisions of Alembic.
    migrations: str = ""
    # Gates of the team's own and changes to the built-in ones: see `gates`.
    gates: dict[str, Any] = field(default_factory=dict)
    # Packages from no index that are the team's own: see `gates.audit`.
    audit: dict[str, Any] = field(default_factory=dict)


def read_settings(pyproject: Path) -> Settings:
    """Read the settings; raises UsageError on an unknown key or a wrong value."""
    try:
        document = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{pyproject} cannot be read: {error}") from error
    return parse_settings(document)


def parse_settings(document: Mapping[str, Any]) -> Settings:
    """Take the settings out of a parsed pyproject.toml.

    Raises UsageError on an unknown key or a wrong value.
    """
    table = document.get("tool", {}).get("trunkline", {})
    kinds = {known.name: _class(known.type) for known in fields(Settings)}
    for key, value in table.items():
        if key not in kinds:
            raise UsageError(
                f"[tool.trunkline] has the unknown key `{key}`; "
                f"expected one of {', '.join(sorted(kinds))}"
            )
        if type(value) is not kinds[key]:
            raise UsageError(
                f"[tool.trunkline] {key} is {value!r}; expected {kinds[key].__name__}"
            )
    settings = Settings(**table)
    if settings.image:
        return settings
    name = document.get("project", {}).get("name", "")
    return Settings(**{**table, "image": name})


def _class(annotation: Any) -> type[Any]:  # noqa: ANN401 - whatever a field says
    """Return the class that values of an annotation such as dict[str, Any] have."""
    return cast("type[Any]", get_origin(annotation) or annotation)
