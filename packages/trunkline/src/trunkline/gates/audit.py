"""`trunkline audit`: known vulnerabilities of everything that uv.lock holds.

pip-audit exits with 0 and "No known vulnerabilities found" when its service knows none
of the packages, as it does behind a mirror of PyPI, and with 1 both for a vulnerability
and for a service that is unreachable. So its JSON is read, and every locked package
must be in it with an answer.
"""

import json
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trunkline import process
from trunkline.errors import UsageError
from trunkline.gates.gate import NOT_CHECKED
from trunkline.gates.locked import LockedPackages, locked_packages
from trunkline.git import Repository
from trunkline.options import command, option, repeated
from trunkline.process import ProcessError
from trunkline.settings import read_settings
from trunkline.workspace.members import members, normal, read_toml

# Seconds for all questions to the service.
TIMEOUT = 300
SHOWN = 10
TABLE = "[tool.trunkline.audit]"
# The tool is a dependency from git; its own dependencies are in the lock file.
OWN_BY_DEFAULT = ("trunkline",)


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What is known: a line for each vulnerability, and packages without an answer.

    `own` maps packages that are declared as the team's own to their source, `foreign`
    other packages from no index; `unanswered` maps packages to the reason.
    """

    checked: int
    vulnerable: tuple[str, ...] = ()
    own: Mapping[str, str] = field(default_factory=dict)
    foreign: Mapping[str, str] = field(default_factory=dict)
    unanswered: Mapping[str, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0, 1 for a vulnerability, 75 if a package could not be checked."""
        if self.vulnerable:
            return 1
        return NOT_CHECKED if self.foreign or self.unanswered else 0


@command(
    repeated("--ignore-vuln", "ignore this vulnerability", metavar="ID"),
    option("--osv-url", help="ask this OSV service instead of PyPI", metavar="URL"),
)
def audit(*, ignore_vuln: Sequence[str] | None, osv_url: str | None) -> int:
    """Print the result; returns 0, 1 for a vulnerability, 75 for not checked."""
    root = Repository.find().root
    declared = own_packages(read_settings(root / "pyproject.toml").audit)
    locked = locked_packages(read_toml(root / "uv.lock").get("package", []))
    options = [word for name in ignore_vuln or () for word in ("--ignore-vuln", name)]
    if osv_url:
        options += ["--vulnerability-service", "osv", "--osv-url", osv_url]
    answer, complaint = ask(locked.requirements, options)
    micropackages = {member.name for member in members(root)}
    result = judge(locked, answer, complaint, own={*declared, *micropackages})
    print(report(result, declared))
    unused = {*declared} - {*OWN_BY_DEFAULT} - locked.pinned - {*locked.unindexed}
    for name in sorted(unused):
        print(f"{TABLE} own: {name} is not in uv.lock; remove it from the list")
    return result.exit_code


def own_packages(table: Mapping[str, Any]) -> tuple[str, ...]:
    """Read `own`, a list of names; raises UsageError on anything else."""
    for key in table:
        if key != "own":
            raise UsageError(f"{TABLE} has the unknown key `{key}`; expected `own`")
    value = table.get("own", list(OWN_BY_DEFAULT))
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise UsageError(
            f"{TABLE} own is {value!r}; expected a list of names of packages\n"
            f"  type next: {_line(OWN_BY_DEFAULT)}, in pyproject.toml"
        )
    return tuple(normal(name) for name in value)


def ask(requirements: str, options: Sequence[str]) -> tuple[Any, str]:
    """Run pip-audit; returns its JSON, None if there is none, and its complaint."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "requirements.txt")
        file.write_text(requirements, encoding="utf-8")
        argv = [sys.executable, "-m", "pip_audit", "--requirement", str(file)]
        argv += ["--disable-pip", "--no-deps", "--format", "json"]
        argv += ["--progress-spinner", "off"]
        try:
            done = process.run([*argv, *options], timeout=TIMEOUT)
        except ProcessError as error:
            return None, str(error)
    complaint = done.complaint.splitlines()[-1]
    try:
        return json.loads(done.stdout), complaint
    except ValueError:
        return None, complaint


def judge(
    locked: LockedPackages,
    answer: Any,  # noqa: ANN401 - any JSON
    complaint: str,
    *,
    own: Collection[str] = (),
) -> AuditResult:
    """Compare what was asked with what was answered. Pure.

    A package of the team's own may also come from an index that the service does not
    know; every other one needs an answer.
    """
    rows = answer.get("dependencies") if isinstance(answer, dict) else None
    silence = complaint if rows is None else "pip-audit says nothing about it"
    answered, reasons = [], {}
    for row in rows or ():
        if "skip_reason" in row:
            reasons[row["name"]] = row["skip_reason"]
        else:
            answered.append(row)
    known = {row["name"] for row in answered}
    silent = dict.fromkeys(sorted(locked.pinned - known - reasons.keys()), silence)
    ours = {**locked.unindexed, **reasons}
    return AuditResult(
        len(known),
        tuple(_vulnerability(row, found) for row in answered for found in row["vulns"]),
        own={name: at for name, at in ours.items() if name in own},
        foreign={name: at for name, at in locked.unindexed.items() if name not in own},
        unanswered=silent | {n: why for n, why in reasons.items() if n not in own},
    )


def _vulnerability(row: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    fixed = ", ".join(found.get("fix_versions", ())) or "no version yet"
    return f"{row['name']} {row['version']}: {found['id']}, fixed in {fixed}"


def report(result: AuditResult, declared: Sequence[str] = OWN_BY_DEFAULT) -> str:
    """Say what was found, what was not checked, and what to type next."""
    lines = [f"VULNERABLE: {line}" for line in result.vulnerable]
    if result.vulnerable:
        names = sorted({line.partition(" ")[0] for line in result.vulnerable})
        upgrade = " ".join(f"--upgrade-package {name}" for name in names)
        lines.append(f"  type next: uv lock {upgrade}")
    lines += [f"not on an index: {name} ({at})" for name, at in result.own.items()]
    if unchecked := {**result.foreign, **result.unanswered}:
        total = result.checked + len(unchecked)
        lines.append(f"NOT CHECKED: {len(unchecked)} of {total} packages")
    lines += _shown(result.foreign, "comes from {}, which no advisory service covers")
    if result.foreign:
        lines += [
            "  expected:  packages from an index, or of your own team",
            f"  type next: {_line({*declared, *result.foreign})}, under {TABLE} in "
            "pyproject.toml, if your team maintains them",
        ]
    lines += _shown(result.unanswered, "{}")
    if result.unanswered:
        lines.append("  type next: uv run trunkline audit, where pypi.org is reachable")
    if result.exit_code == 0:
        lines.append(f"{result.checked} packages without a known vulnerability")
    return "\n".join(lines)


def _shown(reasons: Mapping[str, str], form: str) -> list[str]:
    rows = [f"  {name}: {form.format(why)}" for name, why in reasons.items()]
    more = [f"  and {len(rows) - SHOWN} more"] if len(rows) > SHOWN else []
    return rows[:SHOWN] + more


def _line(names: Collection[str]) -> str:
    """Write the line of pyproject.toml that declares packages as the team's own."""
    return f"own = {json.dumps(sorted(names))}"
