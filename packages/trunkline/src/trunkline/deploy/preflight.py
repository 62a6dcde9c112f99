"""Compare a candidate's migrations with an environment's database. Pure."""

import json
from dataclasses import dataclass
from shlex import quote

from trunkline.commits.conventional import shown
from trunkline.deploy.environments import Environment
from trunkline.errors import FailedError, Refusal

# Migrations to list; nobody reads more.
LISTED = 10


@dataclass(frozen=True, slots=True)
class DatabaseReport:
    """The output of `SERVICE migrations --database --json`."""

    state: str
    pending: tuple[tuple[str, str], ...]
    # Applied migrations that the candidate does not contain.
    unknown: tuple[str, ...]

    @property
    def migrates(self) -> bool:
        """Whether a deploy has to migrate, perhaps after a downgrade."""
        return self.state in {"behind", "unknown"}

    @property
    def lines(self) -> list[str]:
        """What a deploy does to the database, for people."""
        found = [f"{one[:12]} {shown(subject)}" for one, subject in self.pending]
        more = [f"and {len(found) - LISTED} more"] if len(found) > LISTED else []
        if self.state == "behind":
            return [f"will migrate: {one}" for one in (*found[:LISTED], *more)]
        if self.state == "unknown":
            return [f"the database has migrations that it lacks: {self.listed}"]
        state = "up to date" if self.state == "same" else self.state
        return [f"the database is {state}; nothing to migrate"]

    @property
    def listed(self) -> str:
        return ", ".join(self.unknown[:LISTED])


@dataclass(frozen=True, slots=True)
class DatabasePlan:
    """What a deploy does to the database, for people, and whether it migrates."""

    lines: list[str]
    migrates: bool


def read_report(text: str) -> DatabaseReport:
    """Parse the service's output; raises FailedError if it is invalid."""
    try:
        found = json.loads(text)
        return DatabaseReport(
            state=shown(found["state"]),
            pending=tuple((one["id"], one["subject"]) for one in found["pending"]),
            unknown=tuple(shown(one) for one in found["unknown"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FailedError(
            "says nothing about the database that can be read; expected JSON of "
            "`migrations --database`"
        ) from error


def require_known(report: DatabaseReport, ref: str, environment: Environment) -> None:
    """Refuse a database with migrations of another branch, and name the choices.

    None of them may lose data where only releases are accepted.
    """
    if report.state != "unknown":
        return
    name = environment.name
    command = f"uv run trunkline deploy {quote(ref)} --to {name}"
    history = f"uv run trunkline history {name}  (then a release that has them)"
    ways = (
        f"one of\n    {command} --own-database  (a database for this branch alone)"
        f"\n    {command} --new-database  (all of {name} on a new one)"
        f"\n    {command} --downgrade     (what serves takes its migrations back)"
    )
    raise Refusal(
        rule="unknown-migrations",
        found=f"the database of {name} has migrations that {ref} lacks: "
        f"{report.listed}",
        expected="migrations of this commit, or of one that contains it",
        fix=history if environment.accepts == "releases" else ways,
    )
