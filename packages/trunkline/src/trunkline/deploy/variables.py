"""The environment variables of each operation, which are secret."""

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from trunkline.deploy.operation import Operation
from trunkline.errors import Refusal, UsageError

SHORTEST_SECRET = 8
# For a value whose name says that it is secret.
SHORTEST_NAMED = 4
_TELLING = re.compile("PASS|SECRET|TOKEN|KEY|CREDENTIAL", re.IGNORECASE)
LAST_LINES = 20
# Only flags, because a secret would stay in the shell's history.
_FLAG = re.compile(r"(ENABLE_[A-Z0-9_]+)=(true|false)")

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def parse_flags(given: Sequence[str]) -> dict[str, str]:
    """Read `ENABLE_X=true`; raises UsageError on anything but a flag."""
    found = {text: _FLAG.fullmatch(text) for text in given}
    for text, one in found.items():
        if one is None:
            raise UsageError(f"--flag {text!r}: expected ENABLE_X=true or =false")
    return {one[1]: one[2] for one in found.values() if one}


class Variables:
    """The variables of an environment's operations, each in its own folder."""

    def __init__(self, folder: Path, root: Path, files: Sequence[str]) -> None:
        """`files` are relative to `root` and hold lines NAME=value."""
        self.folder = folder / "instances"
        self.root = root
        self.files = files
        # Flags that are switched for the next deploy.
        self.flags: Mapping[str, str] = {}

    def place(self, operation: str) -> Path:
        """Create and return the folder of an operation."""
        place = self.folder / operation
        place.mkdir(parents=True, exist_ok=True)
        return place

    def file(self, operation: str) -> Path:
        """Return the file, which only this user can read."""
        return self.folder / operation / "variables"

    def keep(self, operation: str, variables_of: str) -> None:
        """Store the current variables, or an earlier operation's, unless stored."""
        if (file := self.file(operation)).exists():
            return
        then = self.file(variables_of)
        again = variables_of and then.exists()
        text = then.read_text(encoding="utf-8") if again else self._today()
        self.place(operation)
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")

    def add(self, operation: str, name: str, value: str) -> None:
        """Store one more variable, which replaces one with the same name."""
        with self.file(operation).open("a", encoding="utf-8") as file:
            file.write(f"{name}={value}\n")

    def forget(self, operation: str) -> None:
        """Remove everything that is stored with an operation."""
        shutil.rmtree(self.folder / operation, ignore_errors=True)

    def last_lines(self, operation: str, said: str, *, most: int = LAST_LINES) -> str:
        """Return the last lines of a service's output, with secret values masked."""
        for value in sorted(self._secrets(operation), key=len, reverse=True):
            said = said.replace(value, "***")
        lines = _COLOUR.sub("", said).splitlines()[-most:]
        return "\n".join(
            "".join(c if c.isprintable() else " " for c in line) for line in lines
        )

    def read(self, operation: str) -> dict[str, str]:
        """Return the variables of an operation."""
        return _parsed(self.file(operation).read_text(encoding="utf-8"))

    def kept(self) -> dict[str, dict[str, str]]:
        """Return the variables of each operation, by its name."""
        names = (file.parent.name for file in self.folder.glob("*/variables"))
        return {name: self.read(name) for name in names}

    def today(self) -> dict[str, str]:
        """Return the current variables."""
        return _parsed(self._today())

    def clean(self, kept: Sequence[Operation], serving: set[str]) -> set[str]:
        """Remove operations that are no longer needed, and return their names."""
        needed = serving | {one.name for one in kept}
        needed |= {one.candidate.variables_of for one in kept}
        gone = {place.name for place in self.folder.glob("*")} - needed
        for operation in gone:
            self.forget(operation)
        return gone

    def _secrets(self, operation: str) -> set[str]:
        if not self.file(operation).exists():
            return set()
        kept = self.read(operation)
        # The service may print the password of an address alone.
        parts = [it.partition("://")[2].rpartition("@")[0] for it in kept.values()]
        telling = {value for name, value in kept.items() if _TELLING.search(name)}
        telling |= {part.partition(":")[2] for part in parts}
        # Short values such as `true` and `staging` are in every log.
        found = {value for value in kept.values() if len(value) >= SHORTEST_SECRET}
        return found | {value for value in telling if len(value) >= SHORTEST_NAMED}

    def _today(self) -> str:
        lines = [f"{self._read(name)}\n" for name in self.files]
        return "".join(lines + [f"{k}={v}\n" for k, v in self.flags.items()])

    def _read(self, name: str) -> str:
        try:
            # Some editors begin a file with a byte order mark.
            text = (self.root / name).read_text(encoding="utf-8-sig")
            if "\0" in text:
                raise ValueError("it has a NUL byte")
            return text
        except (OSError, ValueError) as error:
            raise Refusal(
                rule="variables",
                found=f"{self.root / name}, which cannot be read: {error}",
                expected="lines NAME=value in UTF-8",
                fix="the same command  (once that can be read, or is no longer in "
                "`variables` of pyproject.toml)",
            ) from error


def _parsed(text: str) -> dict[str, str]:
    pairs = (
        line.strip().partition("=")
        for line in text.split("\n")
        if "=" in line and not line.lstrip().startswith("#")
    )
    return {name: value for name, _, value in pairs}
