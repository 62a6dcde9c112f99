"""`trunkline flags`: the feature flags of the service, their owners and expiry."""

import json as json_
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from trunkline import process
from trunkline.errors import Refusal, UsageError
from trunkline.gates.flaguses import Use, find_uses
from trunkline.gates.run import matching_files
from trunkline.git import Repository
from trunkline.options import JSON, command, option, switch
from trunkline.output import aligned
from trunkline.settings import read_settings

# Two weeks: time to remove the flag within one or two regular releases.
NOTICE = timedelta(days=14)
# The tool is not the service: its tests name flags of made-up projects.
_SEARCHED = ("*.py", ":(exclude)packages/trunkline")


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag as the service declares it, with its current value and its uses."""

    name: str
    default: object
    value: object
    # What is wrong with the value, and where it comes from.
    problem: str | None
    source: str
    description: str
    owner: str | None
    expires: date | None
    uses: tuple[Use, ...] = ()
    tests: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What `--check` reports about a flag; a warning does not fail the check."""

    flag: str
    rule: str
    found: str
    fix: str
    fails: bool = True

    def __str__(self) -> str:
        word = "refused" if self.fails else "soon"
        return (
            f"{self.flag}: {word} by rule `{self.rule}`\n"
            f"  found:     {self.found}\n"
            f"  type next: {self.fix}"
        )


@command(
    switch("--check", "fail on an expired, undeclared or unused flag"),
    option("--today", help="judge expiry as of this day", metavar="YYYY-MM-DD"),
    JSON,
)
def flags(*, check: bool, json: bool, today: str | None = None) -> int:
    """Print the table; with `check` return 1 if a finding is not only a warning."""
    day = as_date("--today", today) or date.today()
    repository = Repository.find()
    root = repository.root
    target = read_settings(root / "pyproject.toml").flags
    if not target:
        raise UsageError(
            "[tool.trunkline] has no `flags`; expected the class that declares them: "
            'flags = "my_app.config:Flags"'
        )
    found = find_uses(root, matching_files(repository, _SEARCHED))
    tests = [use for use in found if use.in_tests]
    uses = [use for use in found if not use.in_tests]
    declared = [
        replace(flag, uses=_of(flag, uses), tests=_of(flag, tests))
        for flag in read_flags(root, target)
    ]
    findings = judge(declared, uses, today=day)
    if json:
        report = {
            "flags": [asdict(flag) for flag in declared],
            "findings": [asdict(finding) for finding in findings],
        }
        print(json_.dumps(report, default=str))
    else:
        print(table(declared))
        if check:
            refused = sum(finding.fails for finding in findings)
            print(f"\n{len(declared)} declared, {refused or 'none'} refused")
        for finding in findings:
            print(f"\n{finding}", file=sys.stderr)
    return 1 if check and any(finding.fails for finding in findings) else 0


def read_flags(root: Path, target: str) -> list[Flag]:
    """Read the service's class in a separate process; raises Refusal if that fails.

    The code is imported from `root`, which may differ from what is installed.
    """
    paths = [str(root / "src"), os.environ.get("PYTHONPATH", "")]
    done = process.run(
        [sys.executable, "-m", "trunkline.gates.flagprobe", target],
        cwd=root,
        env={"PYTHONPATH": os.pathsep.join(path for path in paths if path)},
    )
    if not done.ok:
        last = done.complaint.splitlines()[-1]
        raise Refusal(
            rule="flags-readable",
            found=f"`{target}` cannot be imported: {last}",
            expected="[tool.trunkline] flags to name a pydantic-settings class",
            fix=f'uv run python -c "import {target.partition(":")[0]}"',
        )
    # The service may print something while it is imported.
    rows = json_.loads(done.text.splitlines()[-1])
    return [
        Flag(**{**row, "expires": as_date(row["name"], row["expires"])}) for row in rows
    ]


def as_date(place: str, text: str | None) -> date | None:
    """Parse an optional date; raises UsageError, which names the place."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise UsageError(
            f"{place}: {text!r} is not a date; expected one like 2027-06-30"
        ) from error


def _of(flag: Flag, uses: Sequence[Use]) -> tuple[Use, ...]:
    return tuple(use for use in uses if use.flag == flag.name)


def judge(
    declared: Sequence[Flag], code: Sequence[Use], *, today: date
) -> list[Finding]:
    """List what is wrong with the flags as of a day. Pure."""
    findings = [finding for flag in declared for finding in _of_flag(flag, today)]
    for name in sorted({use.flag for use in code} - {flag.name for flag in declared}):
        places = _places([use for use in code if use.flag == name])
        fix = f"declare {name} with owner and expiry, or remove these uses"
        found = f"used in {places}, but not declared"
        findings.append(Finding(name, "declared", found, fix))
    return findings


def _of_flag(flag: Flag, today: date) -> Iterator[Finding]:
    finding = partial(Finding, flag.name)
    if not flag.owner:
        fix = 'declare it with owner="the team that removes it"'
        yield finding("owned", "no owner", fix)
    if flag.expires is None:
        yield finding("dated", "no expiry", "declare it with expires=date(…)")
    elif flag.expires < today:
        yield finding(
            "not-expired",
            f"expired on {flag.expires}, {(today - flag.expires).days} days ago",
            f"remove the flag from {_places(flag.uses)}, "
            f"or ask {flag.owner or 'its owner'} for a later date",
        )
    elif flag.expires - today <= NOTICE:
        yield finding(
            "not-expired",
            f"expires on {flag.expires}, in {(flag.expires - today).days} days",
            f"plan to remove it from {_places(flag.uses)}",
            fails=False,
        )
    if not flag.uses:
        where = f"; tests: {_places(flag.tests)}" if flag.tests else ""
        yield finding("used", f"not used in the code{where}", "delete its declaration")
    if flag.problem:
        found = f"{flag.source}: {flag.problem}"
        yield finding("boolean", found, f"export {flag.name}=true")


def _places(uses: Sequence[Use]) -> str:
    return ", ".join(str(use) for use in uses) or "no file"


def table(declared: Sequence[Flag]) -> str:
    """Format the flags as a table, each with its uses below its row."""
    if not declared:
        return "no flags declared"
    head = ("flag", "here", "default", "owner", "expires", "uses", "tests")
    first, *rows = aligned([head, *(_cells(flag) for flag in declared)])
    lines = [first]
    for row, flag in zip(rows, declared, strict=True):
        lines.append(row)
        lines += [f"    {use}" for use in flag.uses]
    return "\n".join(lines)


def _cells(flag: Flag) -> tuple[str, ...]:
    # Booleans as in the environment.
    here = "?" if flag.problem else str(flag.value).lower()
    return (
        flag.name,
        here if flag.source == "default" else f"{here} ({flag.source})",
        str(flag.default).lower(),
        flag.owner or "-",
        str(flag.expires or "-"),
        str(len(flag.uses)),
        str(len(flag.tests)),
    )
