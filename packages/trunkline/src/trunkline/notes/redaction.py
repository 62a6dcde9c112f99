"""Mask secrets in text, and say where they were. Pure."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from trunkline.notes.secret_patterns import BEGIN, END, find_secrets

_BEGIN_PUBLIC = re.compile(r"-----BEGIN (?:[A-Z0-9]+ ){0,3}(?:CERTIFICATE|PUBLIC KEY)")
_END_PUBLIC = re.compile(r"-----END (?:[A-Z0-9]+ ){0,3}(?:CERTIFICATE|PUBLIC KEY)")
_KEY_BODY = re.compile(
    r"""[\s"'+\\]*(?:[A-Za-z0-9+/=]*(?:\\[nr])*|[A-Z][A-Za-z-]+: .*)[\s"'+\\,;)]*"""
)

_LONGEST_KEY_LINE = 200
# A secret that sticks to another shows when that one is gone.
_PASSES = 4


class Redactor:
    """Mask line after line, knowing when it is inside a block of a key."""

    def __init__(self, path: str = "") -> None:
        self._path = path
        self._inside: str | None = None

    def mask(self, line: str) -> tuple[str, list[str]]:
        """Return a line without its secrets, and the kinds of those it had.

        A private key of many lines counts once, at its first line.
        """
        if self._inside and self._continues(line):
            private = self._inside == "private"
            return ("[masked: private-key]" if private else line), []
        self._inside = None
        kinds: list[str] = []
        for _ in range(_PASSES):
            spans = find_secrets(line, self._path)
            if not spans:
                break
            kinds.extend(span.kind for span in spans)
            for span in reversed(spans):
                line = f"{line[: span.start]}[masked: {span.kind}]{line[span.end :]}"
        begin = BEGIN.search(line)
        if begin and not END.search(line, begin.end()):
            self._inside = "private"
            kinds.append("private-key")
            line = f"{line[: begin.end()]}[masked: private-key]"
        elif _BEGIN_PUBLIC.search(line) and not _END_PUBLIC.search(line):
            self._inside = "public"
        return line, kinds

    def _continues(self, line: str) -> bool:
        if len(line) > _LONGEST_KEY_LINE or END.search(line):
            return False
        return not _END_PUBLIC.search(line) and _KEY_BODY.fullmatch(line) is not None


@dataclass(frozen=True, slots=True)
class Found:
    """A secret that was masked: where it is, and its kind; never the secret."""

    path: str
    line: int
    kind: str

    @property
    def place(self) -> str:
        """`file:line (kind)`."""
        return f"{self.path}:{self.line} ({self.kind})"


def mask_text(text: str, path: str = "") -> tuple[str, list[Found]]:
    """Mask a whole text; lines count from 1."""
    redactor = Redactor(path)
    lines: list[str] = []
    found: list[Found] = []
    for number, line in enumerate(text.split("\n"), start=1):
        masked, kinds = redactor.mask(line)
        lines.append(masked)
        found.extend(Found(path, number, kind) for kind in kinds)
    return "\n".join(lines), found


def summary(found: Iterable[Found]) -> str:
    """Count secrets by kind, such as `2 assignment, 1 jwt`."""
    counts = Counter(one.kind for one in found)
    return ", ".join(f"{n} {kind}" for kind, n in counts.most_common())
