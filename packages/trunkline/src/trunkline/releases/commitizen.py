"""Ask commitizen: what would a bump do, and do it."""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from trunkline import process
from trunkline.errors import FailedError, UsageError

# `cz bump` ends with these when there is nothing since the last tag, or nothing that
# raises a version.
NOTHING = {3: "no commit since", 21: "no commit that raises the version since"}
NOT_WITH_RELEASE = {
    "--annotated-tag-message": "the tag's message is its name",
    "-atm": "the tag's message is its name",
    "--changelog-to-stdout": "use --dry-run",
    "--files-only": "a release is commit, tag and push",
    "--get-next": "use --dry-run",
    "--version-files-only": "a release is commit, tag and push",
}
DEFAULTS = {("--increment", "auto"), ("--prerelease", "none")}
BUMP_MESSAGE = "bump: version $current_version → $new_version"
_TAG = re.compile(r"^tag to create: (\S+)$", re.MULTILINE)
# Hooks of git may run a whole test suite.
LONG = 3600


@dataclass(frozen=True, slots=True)
class Preview:
    """What `cz bump` would make: a tag and its changelog section."""

    tag: str
    section: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to release, and why."""

    reason: str


def check_options(options: Sequence[str]) -> None:
    """Raise UsageError on an option of `cz bump` that makes no sense in a release."""
    for option in options:
        reason = NOT_WITH_RELEASE.get(option.partition("=")[0])
        if reason:
            raise UsageError(f"`trunkline release` takes no {option}: {reason}")


def spelt_out(options: Sequence[str]) -> tuple[str, ...]:
    """Leave out options whose value says "as without me", as a form's fields do."""
    kept: list[str] = []
    for option in options:
        if kept and (kept[-1], option) in DEFAULTS:
            kept.pop()
        elif tuple(option.partition("=")[::2]) not in DEFAULTS:
            kept.append(option)
    return tuple(kept)


def preview(root: Path, options: Sequence[str], *, since: str) -> Preview | Nothing:
    """Ask commitizen for the next version; it changes nothing."""
    done = process.run(
        [program(), "bump", "--dry-run", "--yes", *options],
        cwd=root,
        env={"PYTHONUTF8": "1"},
    )
    if done.code in NOTHING:
        return Nothing(f"{NOTHING[done.code]} {since}")
    found = _TAG.search(done.text)
    if not done.ok or not found:
        raise FailedError(f"`cz bump --dry-run` failed: {done.complaint}")
    section = done.text[done.text.find(f"## {found.group(1)}") :]
    return Preview(found.group(1), section.strip() if "##" in section else "")


def bump(root: Path, options: Sequence[str], *, inherit: int) -> process.Completed:
    """Run `cz bump`; the caller looks at the repository to see what came of it."""
    return process.run(
        [program(), "bump", "--yes", *options],
        cwd=root,
        env={"PYTHONUTF8": "1", "TRUNKLINE_RELEASE": "1"},
        timeout=LONG,
        inherit=(inherit,),
    )


def program() -> str:
    """Return the `cz` of this environment, else the one on PATH."""
    own = Path(sys.executable).with_name("cz")
    return str(own) if own.exists() else "cz"


def is_bump_subject(subject: str, *, new: str, settings: Mapping[str, Any]) -> bool:
    """Whether a subject is that of a bump to `new`; `settings` are commitizen's."""
    message = str(settings.get("bump_message") or BUMP_MESSAGE)
    wanted = Template(message.partition("\n")[0])
    mark = "\0"
    text = wanted.safe_substitute(current_version=mark, new_version=new)
    return re.fullmatch(re.escape(text).replace(mark, r"\S+"), subject) is not None
