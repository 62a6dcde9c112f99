"""Reading the environment: once, with all problems reported together."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from io import StringIO
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from dotenv.parser import Original, parse_stream
from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings

# Names at least this similar to a declared one count as typos of it: ENABLE_NEW_SERCH
# does, ENABLE_OLD_SEARCH (a flag that was removed) does not.
SIMILARITY = 0.85
# Names without a common prefix are more often other programs' variables than typos.
SIMILARITY_WITHOUT_PREFIX = 0.9

# Browsers send other letters as `xn--…`, and no port that the scheme implies.
NAME = r"(\[[\da-f:.]+\]|[\w-]+(\.[\w-]+)*)"
HOSTS = "host names without scheme and port: api.example.com, *.example.com or *"
HOST = re.compile(rf"\*|(\*\.)?{NAME}", re.IGNORECASE | re.ASCII)
ADDRESSES = "addresses or networks: 10.0.0.7, 10.0.0.0/8, ::1 or *"
ORIGINS = "origins as browsers send them: https://app.example.com, or *"
ORIGIN = re.compile(
    rf"\*|(?!http://.*:80$|https://.*:443$)[a-z][a-z\d+.-]*://{NAME}(:\d{{1,5}})?",
    re.ASCII,
)

# Plainer than pydantic's own messages.
EXPECTED = {
    "bool_parsing": "true or false",
    "float_parsing": "a number",
    "int_parsing": "a whole number",
}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One variable with an unusable value or name."""

    variable: str
    found: str
    expected: str

    def __str__(self) -> str:
        lines = self.variable, f"found:    {self.found}", f"expected: {self.expected}"
        return "\n    ".join(lines)


class EnvironmentVariablesError(Exception):
    """Variables are missing, malformed or misspelt; the message lists all of them."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(
            f"The environment has {count}:\n\n"
            + "\n\n".join(str(problem) for problem in self.problems)
            + "\n\nEvery variable is described in .env.example."
        )


def variable_names(model: type[BaseSettings]) -> dict[str, str]:
    """Map each variable that a settings class reads to its field."""
    prefix = model.model_config.get("env_prefix", "")
    return {
        field.alias or f"{prefix}{name}".upper(): name
        for name, field in model.model_fields.items()
    }


def reads_dotenv() -> bool:
    """Return whether this process reads `.env`."""
    return os.environ.get("APP_ENVIRONMENT", "development") == "development"


def build[Model: BaseSettings](
    model: type[Model],
    dotenv: Path | None,
    problems: list[Problem],
    secrets: str | None = None,
) -> Model | None:
    """Read one settings class and add its errors to `problems`."""
    try:
        return model(_env_file=dotenv, _secrets_dir=secrets)
    except ValidationError as error:
        problems += problems_of(model, error)
        return None


def misplaced(environment: str | None, dotenv: Path) -> list[Problem]:
    """Report `.env` setting the variable that decides whether `.env` is read."""
    if environment in (None, "development"):
        return []
    return [
        Problem(
            variable="APP_ENVIRONMENT",
            found=f"{environment!r} in {dotenv}",
            expected="development; set other environments in the process itself",
        )
    ]


def problems_of(model: type[BaseSettings], error: ValidationError) -> Iterator[Problem]:
    """Translate pydantic's errors to the names of the environment."""
    variables = {field: variable for variable, field in variable_names(model).items()}
    variables |= {variable: variable for variable in variables.values()}
    for detail in error.errors(include_url=False, include_context=False):
        field = str(detail["loc"][0]) if detail["loc"] else ""
        variable = variables.get(field, field)
        info = model.model_fields.get(field)
        secret = info is not None and "SecretStr" in str(info.annotation)
        found = "a secret (not shown)" if secret else shortened(detail["input"])
        expected = EXPECTED.get(
            detail["type"], detail["msg"].removeprefix("Input should be ")
        )
        yield Problem(variable=variable, found=found, expected=expected)


def shortened(value: object, limit: int = 80) -> str:
    """Return a value on one line of about `limit` characters at most."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def misspelt(present: Iterable[str], model: type[BaseSettings]) -> Iterator[Problem]:
    """Yield a problem for each variable that looks like a typo of a declared one.

    Names are compared in upper case: `enable_new_search` is a typo as well where case
    matters. Standard names such as SENTRY_DSN are skipped, because similar names belong
    to the same standard.
    """
    own = model.model_config.get("env_prefix", "")
    declared = tuple(name for name in variable_names(model) if name.startswith(own))
    if not model.model_config.get("case_sensitive"):
        present = {name.upper() for name in present}
    for name in sorted(set(present) - set(variable_names(model))):
        if meant := nearest(name.upper(), declared):
            yield Problem(
                variable=name,
                found="a variable that nothing reads",
                expected=f"the declared name {meant}",
            )


@cache  # because tests read the same environment again and again
def nearest(name: str, declared: tuple[str, ...]) -> str | None:
    """Return the declared name that `name` is a typo of, if any.

    Names are compared without their common prefix, which would make short names look
    similar. Swapped letters are a typo however short the name is.
    """
    prefix = name.split("_", 1)[0] + "_"
    tails = {
        variable.removeprefix(prefix): variable
        for variable in declared
        if variable.startswith(prefix)
    }
    tail, similarity = name.removeprefix(prefix), SIMILARITY
    if not tails:
        tail, similarity = name, SIMILARITY_WITHOUT_PREFIX
        tails = {variable: variable for variable in declared}
    for candidate, variable in tails.items():
        if sorted(candidate) == sorted(tail):
            return variable
    matches = get_close_matches(tail, tails, 1, similarity)
    return tails[matches[0]] if matches else None


def example(models: Sequence[type[BaseSettings]]) -> str:
    """Render `.env.example`: every variable with its description and default."""
    entries = [
        "# Every variable that the service reads, below its description.\n"
        "# Copy this file to .env for development; other environments ignore it.\n"
        "# Generated by `uv run python -m my_app.core.app`.\n"
    ]
    for model in models:
        for variable, name in variable_names(model).items():
            entries.append(example_entry(variable, model.model_fields[name]))
    return "\n".join(entries) + "\n"


def example_entry(variable: str, field: FieldInfo) -> str:
    """Render a variable as a commented-out assignment below its description."""
    notes: Mapping[str, Any] = (
        field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    )
    lines = [field.description or ""]
    if notes:
        lines.append("; ".join(f"{key}: {value}" for key, value in notes.items()))
    comment = "\n".join(f"# {line}" for line in lines)
    return f"{comment}\n# {variable}={to_shell(field.default)}"


def to_shell(value: object) -> str:
    """Return a default as it would be typed in a shell."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case SecretStr():  # A default value is in the source, so it is no secret.
            return value.get_secret_value()
        case tuple():
            return ",".join(str(item) for item in value)
        case _:
            return str(value)


def is_network(name: str) -> bool:
    """Return whether a name is an address or a network, or `*` for all."""
    with suppress(ValueError):
        return name == "*" or bool(ip_network(name))
    return False


def matching(
    names: tuple[str, ...], matches: Callable[[str], object], expected: str
) -> tuple[str, ...]:
    """Return the names, or name those that do not match."""
    if wrong := [name for name in names if not matches(name)]:
        message = f"{expected}; not {', '.join(map(repr, wrong))}"
        raise PydanticCustomError("names", "{message}", {"message": message})
    return names


def read_dotenv(path: Path) -> dict[str, str | None]:
    """Return the assignments in `path`.

    Raises:
        EnvironmentVariablesError: the file is not UTF-8, or a line is not readable.
    """
    try:
        text = path.read_text(encoding="utf-8")
        # The parser is silent about what it skips.
        skipped = [each.original for each in parse_stream(StringIO(text)) if each.error]
        if skipped:
            raise EnvironmentVariablesError([unreadable(path, it) for it in skipped])
        return dotenv_values(stream=StringIO(text))
    except UnicodeDecodeError as error:
        problem = Problem(
            variable=str(path),
            found=f"a byte that is not UTF-8, at position {error.start}",
            expected="a text file such as .env.example",
        )
        raise EnvironmentVariablesError([problem]) from None


def unreadable(path: Path, line: Original) -> Problem:
    """Report a line, but not its text, which may be a secret."""
    # Its text begins with the blank lines before it.
    blank = line.string[: -len(line.string.lstrip())].count("\n")
    return Problem(
        variable=f"{path}, line {line.line + blank}",
        found="a line that is not an assignment",
        expected="NAME=value, and a closing quote if there is an opening one",
    )


def secret_files(
    folder: Path, model: type[BaseSettings], problems: list[Problem]
) -> list[str]:
    """List the files in a folder of secrets; report those without a value."""
    try:
        files = [each for each in sorted(folder.iterdir()) if not each.is_dir()]
    except OSError as error:
        found, expected = f"{folder}: {error.strerror}", "a folder of secret files"
        problems.append(
            Problem(variable="APP_SECRETS_DIR", found=found, expected=expected)
        )
        return []
    for file in files:
        # Other files may hold anything; other programs read them.
        if file.name.upper() in variable_names(model) and (found := useless(file)):
            expected = f"a text file with the value of {file.name.upper()}"
            problems.append(Problem(variable=str(file), found=found, expected=expected))
    return [file.name for file in files]


def useless(file: Path) -> str:
    """Say why a file holds no value; empty if it does."""
    try:
        return "" if file.read_text(encoding="utf-8").strip() else "an empty file"
    except OSError as error:
        return str(error.strerror)
    except UnicodeDecodeError:
        return "a file that is not UTF-8"
