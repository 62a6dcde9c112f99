"""Which migrations this build brings, read from their files without running them."""

import ast
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

State = Literal["same", "ahead", "behind", "unknown"]

VERSIONS = Path(__file__).parents[3] / "migrations/versions"


@dataclass(frozen=True)
class Revisions:
    """The revisions that a build knows, each with those that it builds upon."""

    parents: Mapping[str, tuple[str, ...]]

    @property
    def heads(self) -> list[str]:
        """Those that no other builds upon: one, unless two branches each added one."""
        built_upon = {parent for parents in self.parents.values() for parent in parents}
        return sorted(self.parents.keys() - built_upon)

    def state_of(self, current: Set[str], history: Set[str]) -> State:
        """Tell where a database stands, as this build sees it.

        - same: it is what this build's migrations make.
        - ahead: it is that and more. A newer build's migration was run, which leaves
          in place what this build uses.
        - behind: this build's migrations have not all been run.
        - unknown: it has been through a migration of which this build knows nothing,
          and not through this build's, such as another branch's.
        """
        heads = set(self.heads)
        if current == heads:
            return "same"
        if heads and heads <= history:
            return "ahead"
        return "behind" if current <= self.parents.keys() else "unknown"


def read_revisions(folder: Path = VERSIONS) -> Revisions:
    """Read what the files of a folder assign to `revision` and `down_revision`."""
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
    """Evaluate the constants that a module assigns at its top level."""
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
