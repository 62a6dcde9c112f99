"""The migrations of this build, read from their files without running them."""

import ast
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

State = Literal["same", "ahead", "behind", "unknown"]

VERSIONS = Path(__file__).parents[3] / "migrations/versions"


@dataclass(frozen=True)
class Revisions:
    """The revisions that a build contains, each with its parents."""

    parents: Mapping[str, tuple[str, ...]]

    @property
    def heads(self) -> list[str]:
        """Revisions without children: one, unless two branches each added one."""
        with_children = {one for parents in self.parents.values() for one in parents}
        return sorted(self.parents.keys() - with_children)

    def state_of(self, current: Set[str], history: Set[str]) -> State:
        """Compare a database with this build.

        - same: it has exactly the migrations of this build.
        - ahead: it has those and newer ones, which keep what this build uses.
        - behind: some migrations of this build have not been run.
        - unknown: it has migrations that this build does not contain, such as another
          branch's, and lacks some of this build's.
        """
        heads = set(self.heads)
        if current == heads:
            return "same"
        if heads and heads <= history:
            return "ahead"
        return "behind" if current <= self.parents.keys() else "unknown"


def read_revisions(folder: Path = VERSIONS) -> Revisions:
    """Read `revision` and `down_revision` from every file in a folder."""
    parents: dict[str, tuple[str, ...]] = {}
    for file in sorted(folder.glob("*.py")):
        names = assignments(file.read_text())
        if isinstance(revision := names.get("revision"), str):
            below = names.get("down_revision")
            parents[revision] = (
                (below,) if isinstance(below, str) else tuple(below or ())
            )
    return Revisions(parents)


def assignments(source: str) -> dict[str, str | tuple[str, ...] | None]:
    """Evaluate the constants assigned at the top level of a module."""
    found = {}
    for statement in ast.parse(source).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case _:
                continue
        try:
            found[name] = ast.literal_eval(value)
        except ValueError:
            continue
    return found
