"""Run commitizen: preview a bump, or make it."""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from trunkline import process
from trunkline.errors import FailedError, UsageError
from trunkline.releases.clone import HOOKS_TIMEOUT

# Exit codes of `cz bump` if there is no commit since the last tag, or none that raises
# the version.
NOTHING = {3: "no commit since", 21: "no commit that raises the version since"}
# Its exit code if a hook, or git itself, refuses the commit.
NOT_COMMITTED = 6
NOT_WITH_RELEASE = {
    "--annotated-tag-message": "the tag's message is its name",
    "-atm": "the tag's message is its name",
    "--changelog-to-stdout": "use --dry-run",
    "--files-only": "a release is commit, tag and push",
    "--get-next": "use --dry-run",
    "--version-files-only": "a release is commit, tag and push",
}
# For the help page; the test compares it with that of `cz bump`.
PASSED_ON = (
    "Other options go to `cz bump`, such as VERSION, "
    "--increment {MAJOR,MINOR,PATCH}, --prerelease {alpha,beta,rc}, "
    "--prerelease-offset N, --devrelease N, --increment-mode exact, --allow-no-commit, "
    "--gpg-sign and --no-verify. `cz bump --help` describes them."
)
DEFAULTS = {("--increment", "auto"), ("--prerelease", "none")}
BUMP_MESSAGE = "bump: version $current_version → $new_version"
_TAG = re.compile(r"^tag to create: (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Preview:
    """What `cz bump` would create: a tag and its changelog section."""

    tag: str
    section: str


@dataclass(frozen=True, slots=True)
class NothingToRelease:
    """Why there is nothing to release."""

    reason: str


def check_options(options: Sequence[str]) -> None:
    """Raise UsageError for an option of `cz bump` that a release cannot honour."""
    for option in options:
        reason = NOT_WITH_RELEASE.get(option.partition("=")[0])
        if reason:
            raise UsageError(f"`trunkline release` does not take {option}: {reason}")


def without_defaults(options: Sequence[str]) -> tuple[str, ...]:
    """Drop options that spell out a default, as the fields of a form do."""
    kept: list[str] = []
    for option in options:
        if kept and (kept[-1], option) in DEFAULTS:
            kept.pop()
        elif tuple(option.partition("=")[::2]) not in DEFAULTS:
            kept.append(option)
    return tuple(kept)


def preview(
    root: Path, options: Sequence[str], *, since: str
) -> Preview | NothingToRelease:
    """Ask commitizen for the next version; it changes nothing."""
    done = process.run(
        [program(), "bump", "--dry-run", "--yes", "--changelog", *options],
        cwd=root,
        env={"PYTHONUTF8": "1", "PYTHONIOENCODING": None},
    )
    if done.code in NOTHING:
        return NothingToRelease(f"{NOTHING[done.code]} {since}")
    found = _TAG.search(done.text)
    if not done.ok or not found:
        said = complaint(done)
        if "type next" in said:
            raise FailedError(said)
        fix = "uv run cz bump --dry-run  (for all that it says)"
        raise FailedError(f"`cz bump --dry-run` failed: {said}\n  type next: {fix}")
    section = done.text[done.text.find(f"## {found.group(1)}") :]
    return Preview(found.group(1), section.strip() if "##" in section else "")


def bump(root: Path, options: Sequence[str], *, inherit: int) -> process.Completed:
    """Run `cz bump`; the caller checks in the repository what it has done."""
    return process.run(
        [program(), "bump", "--yes", "--annotated-tag", "--changelog", *options],
        cwd=root,
        env={"PYTHONUTF8": "1", "PYTHONIOENCODING": None, "TRUNKLINE_RELEASE": "1"},
        timeout=HOOKS_TIMEOUT,
        inherit=(inherit,),
    )


def complaint(done: process.Completed) -> str:
    """Return what commitizen says; of a traceback or its usage only the error."""
    said = done.complaint
    if found := re.search("^cz bump: error: (.*)$", said, flags=re.MULTILINE):
        return found[1]
    return said.splitlines()[-1] if said.startswith("Traceback ") else said


def program() -> str:
    """Return the `cz` of this environment, else the one on PATH."""
    own = Path(sys.executable).with_name("cz")
    return str(own) if own.exists() else "cz"


def is_bump_subject(subject: str, *, new: str, settings: Mapping[str, Any]) -> bool:
    """Whether a subject belongs to a bump to `new`; `settings` are commitizen's."""
    message = str(settings.get("bump_message") or BUMP_MESSAGE)
    wanted = Template(message.partition("\n")[0])
    mark = "\0"
    text = wanted.safe_substitute(current_version=mark, new_version=new)
    return re.fullmatch(re.escape(text).replace(mark, r"\S+"), subject) is not None
