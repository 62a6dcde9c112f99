"""SemVer 2 versions and their tags."""

import re
from dataclasses import dataclass
from functools import total_ordering

from trunkline.errors import UsageError

_NUMBER = r"(0|[1-9][0-9]*)"
_WORD = r"(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
_SEMVER = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}"
    rf"(?:-({_WORD}(?:\.{_WORD})*))?"
    r"(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)
# How `uv version` and `uv add` normalise `1.2.0-alpha.3`.
_PEP_440 = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(a|b|rc)([0-9]+)")
_PHASES = {"a": "alpha", "b": "beta", "rc": "rc"}


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """One version, compared as SemVer requires: build metadata is ignored."""

    major: int
    minor: int
    patch: int
    prerelease: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Parse a SemVer version; raises UsageError on anything else."""
        match = _SEMVER.fullmatch(text)
        if match is None:
            raise UsageError(
                f"`{text}` is not a version; expected one like 1.2.0 or 1.2.0-alpha.1"
            )
        major, minor, patch, prerelease, _ = match.groups()
        words = tuple(prerelease.split(".")) if prerelease else ()
        return cls(int(major), int(minor), int(patch), words)

    @classmethod
    def from_project(cls, text: str) -> "Version":
        """Parse a project's version, which uv may have rewritten by PEP 440."""
        match = _PEP_440.fullmatch(text)
        if match is None:
            return cls.parse(text)
        major, minor, patch, phase, number = match.groups()
        words = (_PHASES[phase], str(int(number)))
        return cls(int(major), int(minor), int(patch), words)

    @classmethod
    def from_tag(cls, tag: str) -> "Version | None":
        """Parse a tag such as `v1.2.0`; None if it is not a version tag."""
        match = _SEMVER.fullmatch(tag.removeprefix("v"))
        if match is None or not tag.startswith("v") or match.group(5):
            return None
        return cls.parse(tag[1:])

    @property
    def tag(self) -> str:
        """The tag of this version."""
        return f"v{self}"

    @property
    def stable(self) -> bool:
        """Whether this is not a prerelease."""
        return not self.prerelease

    def __str__(self) -> str:
        core = f"{self.major}.{self.minor}.{self.patch}"
        return f"{core}-{'.'.join(self.prerelease)}" if self.prerelease else core

    def __lt__(self, other: "Version") -> bool:
        return self._rank < other._rank

    @property
    def _rank(self) -> tuple[object, ...]:
        # Numbers sort below words, and a prerelease below the version it precedes.
        words = tuple(
            (0, int(word), "") if word.isdigit() else (1, 0, word)
            for word in self.prerelease
        )
        return (self.major, self.minor, self.patch, self.stable, words)
