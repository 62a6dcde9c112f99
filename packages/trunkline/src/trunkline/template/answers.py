"""`.copier-answers.yml`: which template a service was made from, and how. Pure.

copier and this tool write the same file, so either can do the next update.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from trunkline.errors import FailedError

PATH = ".copier-answers.yml"
_HISTORY = f"  type next: git log -p -- {PATH}"
_LINE = re.compile(r"(?P<key>\w+):(?:\s+(?P<value>.*))?")
_QUOTED = re.compile(r"'((?:[^']|'')*)'")


@dataclass(frozen=True, slots=True)
class Answers:
    """The service's names, the parts it keeps, and the template it is made from.

    `source` is the template's address, `commit` its version as `git describe --tags
    --always` names it, and `commit_id` the full name of that commit, which the file
    does not hold.
    """

    package: str
    title: str
    source: str
    commit: str
    kept: Mapping[str, bool] = field(default_factory=dict)
    commit_id: str = ""


@dataclass(frozen=True, slots=True)
class TemplateRequest:
    """What somebody asks for on the command line; None is a default."""

    source: str | None
    version: str | None
    package: str | None
    title: str | None
    added: tuple[str, ...]
    without: tuple[str, ...]
    diff: bool


def print_answers(answers: Answers, *, header: str) -> str:
    """Write the file the way that the template's own stub does."""
    rows = {
        "_commit": json.dumps(answers.commit),
        "_src_path": json.dumps(answers.source),
        **{key: json.dumps(kept) for key, kept in answers.kept.items()},
        "package": json.dumps(answers.package),
        "title": json.dumps(answers.title, ensure_ascii=False),
    }
    return header + "".join(f"{key}: {value}\n" for key, value in rows.items())


def parse_answers(text: str) -> Answers:
    """Read the file; raises FailedError, with the line, where it is not understood."""
    values: dict[str, str | bool] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.rstrip())
        value = None if match is None else _scalar(match["value"] or "")
        if match is None or value is None:
            raise FailedError(
                f"{PATH}, line {number}: found {line!r}; expected `name: value`\n"
                + _HISTORY
            )
        values[match["key"]] = value
    texts = {key: value for key, value in values.items() if isinstance(value, str)}
    missing = {"package", "title", "_src_path", "_commit"} - texts.keys()
    if missing:
        raise FailedError(
            f"{PATH} does not say {', '.join(sorted(missing))}; expected the file as "
            f"it was written\n{_HISTORY}"
        )
    return Answers(
        package=texts["package"],
        title=texts["title"],
        source=texts["_src_path"],
        commit=texts["_commit"],
        kept={key: value for key, value in values.items() if isinstance(value, bool)},
    )


def _scalar(value: str) -> str | bool | None:
    """Read a YAML scalar of one line: bare, or in either kind of quotes; else None."""
    if value.startswith('"'):
        try:
            return str(json.loads(value))
        except ValueError:
            return None
    if value.startswith("'"):
        quoted = _QUOTED.fullmatch(value)
        return quoted[1].replace("''", "'") if quoted else None
    bare = value.partition(" #")[0].rstrip()
    return {"true": True, "false": False}.get(bare, bare)
