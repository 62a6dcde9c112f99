"""Which migrations this build brings, read from their files without running them."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import my_app

VERSIONS = Path(my_app.__file__).parent / "migrations" / "versions"


@dataclass(frozen=True)
class Revisions:
    """The revisions that a build knows, each with those that it builds upon."""

    parents: Mapping[str, tuple[str, ...]]

    @property
    def heads(self) -> list[str]:
        """Those that no other builds upon: one, unless two branches each added one."""
        built_upon = {parent for parents in self.parents.values() for parent in parents}
        return sorted(self.parents.keys() - built_upon)


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
