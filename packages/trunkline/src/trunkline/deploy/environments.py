"""`[tool.trunkline.environments.NAME]`: where commits are deployed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from trunkline.commits.conventional import shown
from trunkline.errors import UsageError
from trunkline.settings import check_keys

# It also names a folder.
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
ENGINES = ("local", "compose", "kubernetes")
PORTS = {"http": 80, "https": 443}
ACCEPTS = ("any", "releases")


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment; the defaults suit staging on one machine."""

    name: str
    url: str
    engine: str = "local"
    # Branches and tags, or only tags of versions.
    accepts: str = "any"
    # Files with lines NAME=value, relative to the repository. The values are secret.
    variables: list[str] = field(default_factory=list)
    # Seconds that a new instance has to stay healthy before the old one is stopped.
    window: int = 60
    # Megabytes of free disk that a deploy requires.
    room: int = 500
    # Commits (or images) to keep besides the live one.
    keep: int = 3
    # The file for `docker compose`, relative to the repository; by default
    # docker/NAME.compose.yaml and, where it exists, docker/backing.yaml.
    compose: str = ""
    # The environment variable with the address of a PostgreSQL database for the
    # journal, if machines share it; by default it is a file in the clone.
    journal: str = ""
    # For kubectl; by default its current context and namespace, and the Deployment with
    # the project's name.
    context: str = ""
    namespace: str = ""
    workload: str = ""
    # Seconds that a migration, or another command of the candidate, may take.
    deadline: int = 1800

    @property
    def address(self) -> str:
        """Where the proxy listens, as host:port."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        port = parts.port or PORTS[parts.scheme]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def journal_address(self, variables: Mapping[str, str]) -> str:
        """Read the variable that `journal` names; raises UsageError if it is unset."""
        if self.journal and self.journal not in variables:
            raise UsageError(
                f"${self.journal} is not set; expected the address of the journal of "
                f"{self.name}\n  type next: export {self.journal}="
                "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"
            )
        return variables[self.journal] if self.journal else ""

    @property
    def overdue(self) -> str:
        """The reason given for a command that exceeded the deadline."""
        return (
            f"stopped after {self.deadline} seconds, the `deadline` of {self.name} in "
            "pyproject.toml"
        )

    @property
    def host(self) -> str:
        """The clients' `Host` header."""
        return urlsplit(self.url).netloc


def find_environment(tables: Mapping[str, Any], name: str) -> Environment:
    """Read one environment; raises UsageError on an unknown name, key or value."""
    known = ", ".join(map(shown, sorted(tables))) or "none yet"
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"`{shown(name)}` cannot be an environment; expected at most 31 of a-z, "
            f"0-9 and -, the first a letter, such as one of: {known}"
        )
    where = f"[tool.trunkline.environments.{name}]"
    if name not in tables:
        for near in get_close_matches(name, tables, n=1, cutoff=0.9):
            raise UsageError(
                f"there is no environment `{name}`; expected one of: {known}\n"
                f"  type next: the same command with {near}"
            )
        port = next(it for it in count(8100) if f":{it}" not in str(tables))
        raise UsageError(
            f"there is no environment `{name}`; expected one of: {known}\n"
            f"  type next: add to pyproject.toml:\n    {where}\n"
            f'    url = "http://127.0.0.1:{port}"'
        )
    if not isinstance(tables[name], Mapping):
        raise UsageError(f"{where} is {tables[name]!r}; expected a table")
    # The first is the name, which the table has already.
    check_keys(tables[name], fields(Environment)[1:], where=where)
    found = Environment(name=name, **{"url": "", **tables[name]})
    _require_values(found, where)
    return found


def _require_values(found: Environment, where: str) -> None:
    """Raise UsageError for values of the right type that make no sense."""
    try:
        parts = urlsplit(found.url)
        # The local Caddy has no certificates.
        secure = parts.scheme == "https" and found.engine != "local"
        usable = parts.hostname and (secure or (parts.scheme == "http" and parts.port))
    except ValueError:
        usable = None
    if not usable:
        raise UsageError(
            f"{where} url is {found.url!r}; expected one like http://127.0.0.1:8100"
            " (with another engine than local also https://staging.example.com)"
        )
    if found.engine not in ENGINES:
        raise UsageError(
            f"{where} engine is {found.engine!r}; expected one of {', '.join(ENGINES)}"
        )
    if found.accepts not in ACCEPTS:
        raise UsageError(
            f"{where} accepts is {found.accepts!r}; expected {' or '.join(ACCEPTS)}"
        )
    if not all(isinstance(one, str) for one in found.variables):
        raise UsageError(f"{where} variables is {found.variables!r}; expected names")
    if min(found.window, found.room, found.keep) < 0:
        raise UsageError(f"{where} window, room and keep: expected 0 or more")
    if found.deadline < 1:
        raise UsageError(f"{where} deadline: expected 1 or more")
