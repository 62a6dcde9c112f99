"""`[tool.trunkline]` of pyproject.toml, with defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from trunkline.errors import UsageError


@dataclass(frozen=True, slots=True)
class Settings:
    """What a team may set. Every field has a default that fits most repositories."""

    trunk: str = "main"
    remote: str = "origin"
    # Name of the image without registry or tag; the project's own name if empty.
    image: str = ""
    # Seconds to wait for an answer of the remote.
    timeout: int = 60


def parse_settings(document: Mapping[str, Any]) -> Settings:
    """Take the settings out of a parsed pyproject.toml.

    Raises UsageError on an unknown key or a wrong value.
    """
    table = document.get("tool", {}).get("trunkline", {})
    kinds = {field.name: field.type for field in fields(Settings)}
    for key, value in table.items():
        if key not in kinds:
            raise UsageError(
                f"[tool.trunkline] has the unknown key `{key}`; "
                f"expected one of {', '.join(sorted(kinds))}"
            )
        if type(value) is not kinds[key]:
            raise UsageError(
                f"[tool.trunkline] {key} is {value!r}; "
                f"expected {getattr(kinds[key], '__name__', kinds[key])}"
            )
    settings = Settings(**table)
    if settings.image:
        return settings
    name = document.get("project", {}).get("name", "")
    return Settings(**{**table, "image": name})
