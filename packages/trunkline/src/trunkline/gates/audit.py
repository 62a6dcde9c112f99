"""`trunkline audit`: known vulnerabilities of everything that uv.lock holds.

pip-audit ends with 0 and "No known vulnerabilities found" when its service knows none
of the packages, as it does behind a mirror of PyPI, and with 1 both for a vulnerability
and for a service that is away. Hence its JSON is read, and each package of the lock
file must be in it with an answer.
"""

import json
import re
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trunkline import process
from trunkline.errors import FailedError
from trunkline.gates.gate import NOT_CHECKED
from trunkline.git import Repository
from trunkline.options import command, option, repeated
from trunkline.process import ProcessError
from trunkline.uv import uv
from trunkline.workspace.members import members

# Seconds for all questions to the service.
PATIENCE = 300
SHOWN = 10
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)[^\\]*(?=\\?$)")
_FROM_ELSEWHERE = re.compile(r"^(?P<name>[A-Za-z0-9._-]+) @ (?P<address>\S+)")


@dataclass(frozen=True, slots=True)
class Locked:
    """The packages of the lock file: for pip-audit, by name, and from elsewhere.

    `elsewhere` are packages from git or an address, which no advisory names.
    """

    requirements: str
    pinned: frozenset[str]
    elsewhere: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known; `vulnerable` holds a line each, `unknown` a reason by name."""

    checked: int
    vulnerable: tuple[str, ...]
    unknown: Mapping[str, str]


@command(
    repeated("--ignore-vuln", "ignore this vulnerability", metavar="ID"),
    option("--osv-url", help="ask this OSV service instead of PyPI", metavar="URL"),
)
def audit(*, ignore_vuln: Sequence[str] | None, osv_url: str | None) -> int:
    """Print the verdict; returns 0, 1 for a vulnerability, 75 for not checked.

    Asks PyPI, or with `osv_url` a service that speaks as osv.dev does.
    """
    root = Repository.find().root
    exported = uv(
        *("export", "--frozen", "--all-extras", "--all-groups", "--quiet"),
        *("--no-emit-workspace", "--format", "requirements.txt"),
        cwd=root,
    )
    if not exported.ok:
        raise FailedError(f"uv.lock cannot be read: {exported.complaint}")
    locked = read_locked(exported.text, own={member.name for member in members(root)})
    options = [word for name in ignore_vuln or () for word in ("--ignore-vuln", name)]
    if osv_url:
        options += ["--vulnerability-service", "osv", "--osv-url", osv_url]
    answer, complaint = ask(locked.requirements, options)
    verdict = judge(locked, answer, complaint)
    print(report(verdict))
    if verdict.vulnerable:
        return 1
    return NOT_CHECKED if verdict.unknown else 0


def read_locked(exported: str, *, own: Collection[str] = ()) -> Locked:
    """Read what `uv export` prints, with hashes; `own` packages are left out.

    Markers are dropped, for what is locked for another platform runs there. Only a
    package that is locked in two versions keeps them: pip-audit takes one of each.
    """
    names = [m["name"] for line in exported.splitlines() if (m := _PIN.match(line))]
    lines, elsewhere, skipping = [], {}, False
    for line in exported.splitlines():
        match = _FROM_ELSEWHERE.match(line)
        if match and match["name"] not in own:
            elsewhere[match["name"]] = match["address"]
        pin = _PIN.match(line)
        if not line.startswith((" ", "#")):
            skipping = pin is None
        if skipping:
            continue
        if pin and names.count(pin["name"]) == 1:
            end = " \\" if line.endswith("\\") else ""
            lines.append(f"{pin['name']}=={pin['version']}{end}")
        else:
            lines.append(line)
    return Locked("\n".join(lines) + "\n", frozenset(names), elsewhere)


def ask(requirements: str, options: Sequence[str]) -> tuple[Any, str]:
    """Run pip-audit; returns its JSON, None if there is none, and its complaint."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "requirements.txt")
        file.write_text(requirements, encoding="utf-8")
        argv = [sys.executable, "-m", "pip_audit", "--requirement", str(file)]
        argv += ["--disable-pip", "--no-deps", "--format", "json"]
        argv += ["--progress-spinner", "off"]
        try:
            done = process.run([*argv, *options], timeout=PATIENCE)
        except ProcessError as error:
            return None, str(error)
    complaint = done.complaint.splitlines()[-1]
    try:
        return json.loads(done.stdout), complaint
    except ValueError:
        return None, complaint


def judge(locked: Locked, answer: Any, complaint: str) -> Verdict:  # noqa: ANN401
    """Compare what was asked with what was answered. Pure; `answer` is any JSON."""
    unknown = {
        name: f"comes from {address}, which no advisory service knows"
        for name, address in locked.elsewhere.items()
    }
    rows = answer.get("dependencies") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        return Verdict(0, (), unknown | dict.fromkeys(sorted(locked.pinned), complaint))
    known: set[str] = set()
    vulnerable = []
    for row in rows:
        name = row["name"]
        if "skip_reason" in row:
            unknown[name] = row["skip_reason"]
            continue
        known.add(name)
        vulnerable += [_line(row, found) for found in row["vulns"]]
    for name in sorted(locked.pinned - known - set(unknown)):
        unknown[name] = "pip-audit says nothing about it"
    return Verdict(len(known), tuple(vulnerable), unknown)


def _line(row: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    fixed = ", ".join(found.get("fix_versions", ())) or "no version yet"
    return f"{row['name']} {row['version']}: {found['id']}, fixed in {fixed}"


def report(verdict: Verdict) -> str:
    """Say what was found, what was not checked, and what to type next."""
    lines = [f"VULNERABLE: {line}" for line in verdict.vulnerable]
    if verdict.vulnerable:
        names = sorted({line.partition(" ")[0] for line in verdict.vulnerable})
        upgrade = " ".join(f"--upgrade-package {name}" for name in names)
        lines.append(f"  type next: uv lock {upgrade}")
    if verdict.unknown:
        total = verdict.checked + len(verdict.unknown)
        lines.append(f"NOT CHECKED: {len(verdict.unknown)} of {total} packages")
        shown = list(verdict.unknown.items())[:SHOWN]
        lines += [f"  {name}: {reason}" for name, reason in shown]
        if len(verdict.unknown) > SHOWN:
            lines.append(f"  and {len(verdict.unknown) - SHOWN} more")
        lines.append("  type next: uv run trunkline audit, where pypi.org answers")
    if not lines:
        lines.append(f"{verdict.checked} packages without a known vulnerability")
    return "\n".join(lines)
