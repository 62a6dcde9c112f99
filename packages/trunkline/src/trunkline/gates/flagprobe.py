"""Print the feature flags that a class declares, as JSON.

Runs in a separate process, `python -m trunkline.gates.flagprobe module:Class`, so that
nothing that the service does while it is imported affects the tool. All it knows about
the class is that it is a pydantic-settings class.
"""

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any


def main(target: str) -> None:
    """Print a list of objects: name, default, value, source and what was declared."""
    module, _, name = target.partition(":")
    flags = getattr(importlib.import_module(module), name)
    fields = flags.model_fields
    given, problems = read_values(flags)
    rows = []
    for flag, field in fields.items():
        notes = field.json_schema_extra
        notes = notes if isinstance(notes, dict) else {}
        rows.append(
            {
                "name": flag,
                "default": field.default,
                "value": given.get(flag, field.default),
                "problem": problems.get(flag),
                "source": source_of(flag),
                "description": field.description or "",
                "owner": notes.get("owner"),
                "expires": notes.get("expires"),
            }
        )
    print(json.dumps(rows, default=str))


def read_values(flags: Any) -> tuple[dict[str, Any], dict[str, str]]:  # noqa: ANN401
    """Return the current values, and by flag what is wrong with a value."""
    from pydantic import ValidationError  # noqa: PLC0415 - the service's own library

    try:
        return flags(_env_file=dotenv()).model_dump(), {}
    except ValidationError as error:
        problems = {str(row["loc"][0]): row["msg"] for row in error.errors()}
    # Arguments override the environment, so the others can still be read.
    valid = {name: flags.model_fields[name].default for name in problems}
    return flags(_env_file=dotenv(), **valid).model_dump(), problems


def dotenv() -> Path | None:
    """Return the file that the service reads in development only."""
    file = Path(".env")
    development = os.environ.get("APP_ENVIRONMENT", "development") == "development"
    return file if development and file.is_file() else None


def source_of(flag: str) -> str:
    """Return where the value of a flag comes from."""
    if flag in os.environ:
        return "environment"
    file = dotenv()
    lines = file.read_text(encoding="utf-8").splitlines() if file else []
    names = {line.removeprefix("export ").partition("=")[0].strip() for line in lines}
    return ".env" if flag in names else "default"


if __name__ == "__main__":
    main(sys.argv[1])
