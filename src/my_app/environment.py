"""How the environment is read: once, whole, with every problem listed at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

# Of two names this alike, one is the other with a slip of the finger:
# ENABLE_NEW_SERCH passes, ENABLE_OLD_SEARCH (a flag that was removed) does not.
LIKENESS = 0.85
# Names without a common prefix are other programs' more often than slips.
LIKENESS_OF_STRANGERS = 0.9

# Said in plainer words than pydantic's own.
EXPECTED = {
    "bool_parsing": "true or false",
    "float_parsing": "a number",
    "int_parsing": "a whole number",
}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One variable that cannot be used as it is."""

    variable: str
    found: str
    expected: str

    def __str__(self) -> str:
        lines = self.variable, f"found:    {self.found}", f"expected: {self.expected}"
        return "\n    ".join(lines)


class EnvironmentVariablesError(Exception):
    """Variables are missing, malformed or misspelt; the message lists them all."""

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
    """Map each environment variable that a settings class reads to its field."""
    prefix = model.model_config.get("env_prefix", "")
    return {
        field.alias or f"{prefix}{name}".upper(): name
        for name, field in model.model_fields.items()
    }


def problems_of(model: type[BaseSettings], error: ValidationError) -> Iterator[Problem]:
    """Translate pydantic's errors into the names and words of the environment."""
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
    """Show a value on one line of at most about `limit` characters."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def misspelt(present: Iterable[str], model: type[BaseSettings]) -> Iterator[Problem]:
    """Yield a problem for each variable that looks like a declared one but is not.

    Names are compared in upper case: `enable_new_search` is a slip, too, where case
    matters. Standard names, such as SENTRY_DSN, have standard neighbours and are left
    out.
    """
    own = model.model_config.get("env_prefix", "")
    declared = [name for name in variable_names(model) if name.startswith(own)]
    if not model.model_config.get("case_sensitive"):
        present = {name.upper() for name in present}
    for name in sorted(set(present) - set(variable_names(model))):
        if meant := nearest(name.upper(), declared):
            yield Problem(
                variable=name,
                found="a variable that nothing reads",
                expected=f"the declared name {meant}",
            )


def nearest(name: str, declared: Sequence[str]) -> str | None:
    """Return the declared name that `name` is a slip of, if any.

    Names are compared without the prefix that they share, for that makes short names
    look alike. Letters in another order are a slip, however short the name.
    """
    prefix = name.split("_", 1)[0] + "_"
    tails = {
        variable.removeprefix(prefix): variable
        for variable in declared
        if variable.startswith(prefix)
    }
    tail, likeness = name.removeprefix(prefix), LIKENESS
    if not tails:
        tail, likeness = name, LIKENESS_OF_STRANGERS
        tails = {variable: variable for variable in declared}
    for candidate, variable in tails.items():
        if sorted(candidate) == sorted(tail):
            return variable
    matches = get_close_matches(tail, tails, 1, likeness)
    return tails[matches[0]] if matches else None


def example(models: Sequence[type[BaseSettings]]) -> str:
    """Render `.env.example`: every variable with its meaning and its default."""
    blocks = [
        "# Every variable that the service reads, with its default.\n"
        "# Copy to .env for development; no other environment reads that file.\n"
        "# Made by `uv run python -m "
        "my_app.config > .env.example`."
    ]
    for model in models:
        for variable, name in variable_names(model).items():
            blocks.append(example_entry(variable, model.model_fields[name]))
    return "\n\n".join(blocks) + "\n"


def example_entry(variable: str, field: FieldInfo) -> str:
    """Render one variable as a commented-out assignment under its description."""
    notes: Mapping[str, Any] = (
        field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    )
    about = [field.description or ""]
    if notes:
        about.append("; ".join(f"{key}: {value}" for key, value in notes.items()))
    comment = "\n".join(f"# {line}" for line in about)
    return f"{comment}\n# {variable}={as_written(field.default)}"


def as_written(value: object) -> str:
    """Write a default the way the variable would be typed in a shell."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case SecretStr():  # A default is in the source, and no secret.
            return value.get_secret_value()
        case tuple():
            return ",".join(str(item) for item in value)
        case _:
            return str(value)
