"""`[tool.trunkline]` of pyproject.toml, with defaults."""

from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, get_origin

from trunkline.errors import UsageError
from trunkline.files import read_toml


@dataclass(frozen=True, slots=True)
class Settings:
    """What a team can set; the defaults suit most repositories."""

    trunk: str = "main"
    remote: str = "origin"
    # Image name with registry and without tag, such as ghcr.io/acme/my-app; if empty,
    # the project's name.
    image: str = ""
    # Registries to reach over plain http; those on this machine always are.
    insecure_registries: list[str] = field(default_factory=list)
    # What `prune` keeps: tags that match these patterns, images younger than this many
    # days, and those of this many newest commits of the trunk (0: all commits).
    keep: list[str] = field(default_factory=list)
    keep_days: int = 14
    keep_commits: int = 0
    # Seconds to wait for an answer from the remote.
    timeout: int = 60
    # The class that declares the feature flags, as "module:Class".
    flags: str = ""
    # What to build the image from, for which platforms, each built and tested, and
    # whether its attestations are "beside" it, in an index, or left out: "none".
    dockerfile: str = "Dockerfile"
    platforms: list[str] = field(default_factory=lambda: ["linux/amd64"])
    attestations: str = "beside"
    # Vulnerabilities that a release may have, each until a date: see `images.scan`.
    scan: dict[str, Any] = field(default_factory=dict)
    # Environment variables that the build receives as arguments.
    build_args: list[str] = field(default_factory=list)
    # Build secrets by id: a file, or "$NAME" for an environment variable.
    build_secrets: dict[str, Any] = field(default_factory=dict)
    # Environment of the smoke test, and a command before it; by default it migrates.
    smoke: dict[str, Any] = field(default_factory=dict)
    prepare: str = ""
    # Seconds until a new image has to be ready.
    smoke_seconds: int = 90
    # The folder with Alembic's revisions; by default that of `[tool.alembic]`.
    migrations: str = ""
    # Which files `ptw` watches, by name, and what it tells pytest.
    loop_files: list[str] = field(default_factory=lambda: ["*.py", "*.toml"])
    loop_arguments: list[str] = field(default_factory=list)
    # Additional gates and changes to the built-in ones: see `gates`.
    gates: dict[str, Any] = field(default_factory=dict)
    # Where a commit can be put: see `deploy.environments`.
    environments: dict[str, Any] = field(default_factory=dict)
    # Packages from no index that are the team's own: see `gates.audit`.
    audit: dict[str, Any] = field(default_factory=dict)


def read_settings(pyproject: Path) -> Settings:
    """Read the settings; raises UsageError on an unknown key or a wrong value."""
    return parse_settings(read_toml(pyproject))


def parse_settings(document: Mapping[str, Any]) -> Settings:
    """Extract the settings from a parsed pyproject.toml; raises UsageError."""
    tools = document.get("tool", {})
    table = tools.get("trunkline", {})
    check_keys(table, fields(Settings), where="[tool.trunkline]")
    kind = table.get("attestations", "beside")
    if kind not in {"beside", "none"} or table.get("platforms") == []:
        raise UsageError(
            '[tool.trunkline] expects attestations = "beside" or "none", '
            'and platforms = ["linux/amd64"] or more'
        )
    name = document.get("project", {}).get("name", "")
    found = {**table, "image": table.get("image") or name}
    scripts = tools.get("alembic", {}).get("script_location", "")
    if scripts:  # Alembic replaces the mark by the folder of pyproject.toml.
        versions = scripts.removeprefix("%(here)s/") + "/versions"
        found = {"migrations": versions, "prepare": f"{name} migrate"} | found
    return Settings(**found)


def check_keys(
    table: Mapping[str, Any], known: Iterable[Field[Any]], *, where: str
) -> None:
    """Raise UsageError on a key of a table that is not known, or of another type."""
    kinds: dict[str, Any] = {it.name: get_origin(it.type) or it.type for it in known}
    for key, value in table.items():
        if key not in kinds:
            raise UsageError(
                f"{where} has the unknown key `{key}`; "
                f"expected one of {', '.join(sorted(kinds))}"
            )
        if type(value) is not kinds[key]:
            raise UsageError(
                f"{where} {key} is {value!r}; expected {kinds[key].__name__}"
            )
