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

from dotenv import dotenv_values
from pydantic import ValidationError


def main(target: str) -> None:
    """Print a list of objects: name, default, value, source and what was declared."""
    module, _, name = target.partition(":")
    flags = getattr(importlib.import_module(module), name)
    fields = flags.model_fields
    # The service reads this file in development only.
    development = os.environ.get("APP_ENVIRONMENT", "development") == "development"
    file = Path(".env") if development else None
    in_file = dotenv_values(file) if file and file.is_file() else {}
    problems: dict[str, str] = {}
    try:
        values = flags(_env_file=file)
    except ValidationError as error:
        problems = {str(row["loc"][0]): row["msg"] for row in error.errors()}
        # Arguments override the environment, so the others can still be read.
        valid = {flag: fields[flag].default for flag in problems}
        values = flags(_env_file=file, **valid)
    rows = []
    for flag, field in fields.items():
        extra = field.json_schema_extra
        notes = extra if isinstance(extra, dict) else {}
        source = ".env" if flag in in_file else "default"
        rows.append(
            {
                "name": flag,
                "default": field.default,
                "value": getattr(values, flag),
                "problem": problems.get(flag),
                "source": "environment" if flag in os.environ else source,
                "description": field.description or "",
                "owner": notes.get("owner"),
                "expires": notes.get("expires"),
            }
        )
    print(json.dumps(rows, default=str))


if __name__ == "__main__":
    main(sys.argv[1])
