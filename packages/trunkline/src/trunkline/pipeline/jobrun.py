"""A job that runs on this machine: what its steps see, and what they leave behind."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trunkline.pipeline.expressions import Scope, fill_text
from trunkline.pipeline.functions import functions
from trunkline.pipeline.stepfiles import (
    new_mask,
    parts,
    read_pairs,
    redact,
    require_current,
)
from trunkline.pipeline.values import Known, to_text
from trunkline.pipeline.workflow import Step, Table

# Minutes, GitHub's own limit.
LONGEST = 360.0

Say = Callable[[str], None]
CheckOut = Callable[[Path, Mapping[str, str]], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """How one step ended; `note` says what did not run here."""

    title: str
    outcome: str
    seconds: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What a step has done."""

    ok: bool
    note: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Frame:
    """What the steps of a job, or of an action in it, see around them."""

    contexts: Mapping[str, Any]
    steps: Known
    env: Mapping[str, str]
    shell: str
    folder: str
    name: str = ""


@dataclass
class JobRun:
    """What the steps of one job share, and change as they go.

    `place` is a folder for the runner's own files, `token` whether GitHub may be asked.
    """

    place: Path
    workspace: Path
    variables: Mapping[str, str]
    secrets: set[str]
    say: Say
    check_out: CheckOut
    token: bool
    skipped: frozenset[str] = frozenset()
    end: float = field(default_factory=lambda: time.monotonic() + LONGEST * 60)
    exported: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    failed: bool = False
    ended: list[Ended] = field(default_factory=list)
    summary: str = ""
    number: int = 0

    @property
    def path(self) -> str:
        """Where programs are looked for at this point."""
        return os.pathsep.join([*self.paths, self.variables.get("PATH", os.defpath)])

    def scope(self, frame: Frame, env: Mapping[str, str] | None = None) -> Scope:
        """Return what an expression sees at this point."""
        contexts = {
            **frame.contexts,
            "env": {**frame.env, **self.exported, **(env or {})},
            "steps": frame.steps,
            "job": Known("job", {"status": "failure" if self.failed else "success"}),
        }
        known = functions(
            success=not self.failed, failure=self.failed, workspace=self.workspace
        )
        return Scope(contexts, known)

    def hear(self, line: str) -> None:
        """Take one line of a step's output: a request to the runner, or words."""
        if mask := new_mask(line):
            self.secrets |= parts(mask)
            return
        require_current(line)
        self.say(f"  {redact(line, self.secrets)}")

    def read(self, files: Mapping[str, Path]) -> dict[str, str]:
        """Read what a step has left for the next ones; returns its outputs."""
        texts = {name: file.read_text(encoding="utf-8") for name, file in files.items()}
        self.exported |= read_pairs(texts["GITHUB_ENV"], "GITHUB_ENV")
        self.paths = [*texts["GITHUB_PATH"].splitlines(), *self.paths]
        self.summary += texts["GITHUB_STEP_SUMMARY"]
        return read_pairs(texts["GITHUB_OUTPUT"], "GITHUB_OUTPUT")


def filled(table: Table, scope: Scope) -> dict[str, str]:
    """Fill every value of a table in, as text."""
    return {
        name: fill_text(value, scope) if isinstance(value, str) else to_text(_as(value))
        for name, value in table.items()
    }


def _as(value: Any) -> Any:  # noqa: ANN401 - YAML
    """Take a whole number of YAML as expressions take it."""
    return float(value) if type(value) is int else value


def declared(steps: Sequence[Step]) -> Known:
    """Return the context `steps` before the first: ids are known, nothing has run."""
    blank = {"outputs": {}, "outcome": "", "conclusion": ""}
    return Known("steps", {step.id: dict(blank) for step in steps if step.id})
