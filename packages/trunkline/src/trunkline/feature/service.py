"""What a service has already: its package, its features and their names."""

import re
from dataclasses import dataclass
from pathlib import Path

from trunkline.errors import UsageError
from trunkline.feature import wiring
from trunkline.feature.templates import own_names

# Addresses and folders of every service.
PLATFORM = (
    "core",
    "docs",
    "healthz",
    "metrics",
    "openapi",
    "platform",
    "readyz",
    "version",
)
OPERATION = r"def (?:create|get|list|replace|delete|greet)_(\w+)"


@dataclass(frozen=True, slots=True)
class Place:
    """A service's working tree."""

    root: Path
    package: str

    @classmethod
    def find(cls, root: Path) -> "Place":
        """Find the service's package; raises UsageError where there is none."""
        found = sorted(root.glob("src/*/core/app.py"))
        if len(found) != 1:
            raise UsageError(
                f"{root} has {len(found)} files src/*/core/app.py; "
                "expected one: a service made from the template"
            )
        return cls(root, found[0].parts[-3])

    @property
    def source(self) -> Path:
        """The folder of the service's package."""
        return self.root / "src" / self.package

    @property
    def versions(self) -> Path:
        """The folder of migrations, which only a service with a database has."""
        return self.source / "migrations" / "versions"

    @property
    def wiring(self) -> str:
        """The module that lists the features, relative to the root."""
        return f"src/{self.package}/core/app.py"

    def text(self, path: str) -> str | None:
        """Return what is in a file; None if there is none."""
        file = self.root / path
        return file.read_text("utf-8") if file.is_file() else None

    def features(self) -> list[str]:
        """Name the features that are there."""
        folders = sorted((self.source / "core").glob("*/__init__.py"))
        return [it.parent.name for it in folders if it.parent.name != "platform"]

    def files(self, name: str) -> list[str]:
        """List the files of a feature and of its tests, relative to the root."""
        folders = (self.source / "core" / name, self.root / "tests" / "core" / name)
        return [
            str(file.relative_to(self.root))
            for folder in folders
            for file in sorted(folder.rglob("*"))
            if file.is_file() and file.suffix != ".pyc"
        ]

    def taken(self, name: str) -> dict[str, str]:
        """Tell what each identifier is that a new feature must not have.

        Its own folder does not count: a killed run may have left a part of it.
        """
        found = dict.fromkeys(own_names(), "a name in the feature's own files")
        bound = wiring.names_in(self.text(self.wiring) or "")
        found |= dict.fromkeys(bound, "a name in core/app.py")
        found |= dict.fromkeys(PLATFORM, "an address or a folder of the platform")
        for path in (self.source / "core").iterdir():
            if path.name != name:
                found[path.stem] = f"{path.relative_to(self.root)}"
        for other in set(self.features()) - {name}:
            for file in self.files(other):
                text = self.text(file) or ""
                tables = re.findall(r'__tablename__ = "(\w+)"', text)
                found |= dict.fromkeys(tables, f"a table of {other}")
                found |= dict.fromkeys(
                    re.findall(OPERATION, text), f"what an operation of {other} names"
                )
        return found
