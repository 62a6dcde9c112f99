"""Run a workflow's jobs on this machine, one after the other."""

import json
import os
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trunkline.pipeline.contexts import (
    Run,
    github_context,
    inherited,
    runner_context,
    step_variables,
)
from trunkline.pipeline.events import filled_inputs
from trunkline.pipeline.expressions import Scope, condition, fill, fill_text
from trunkline.pipeline.functions import functions
from trunkline.pipeline.jobrun import LONGEST, Ended, Frame, JobRun, declared, filled
from trunkline.pipeline.jobs import combinations, in_order, statuses
from trunkline.pipeline.scratch import Scratch, check_out
from trunkline.pipeline.stepfiles import parts
from trunkline.pipeline.steps import run_steps
from trunkline.pipeline.values import Known, to_text
from trunkline.pipeline.workflow import Job, Workflow


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended: "success", "failure" or "skipped"."""

    name: str
    result: str
    seconds: float = 0.0
    outputs: Mapping[str, str] = field(default_factory=dict)
    steps: Sequence[Ended] = ()
    summary: str = ""


@dataclass(frozen=True, slots=True)
class LocalRun:
    """One run of one workflow."""

    workflow: Workflow
    run: Run
    scratch: Scratch
    skipped: frozenset[str]

    def all_jobs(self, wanted: Sequence[str]) -> list[Outcome]:
        """Run the jobs in order; each knows how those that it needs have ended."""
        results: dict[str, str] = {}
        outputs: dict[str, Mapping[str, str]] = {}
        outcomes = []
        for job in in_order(self.workflow, wanted):
            ended = self.one_job(job, results, outputs)
            outcomes += ended
            results[job.id] = result_of(ended)
            outputs[job.id] = {
                name: value for one in ended for name, value in one.outputs.items()
            }
        return outcomes

    def one_job(
        self,
        job: Job,
        results: Mapping[str, str],
        outputs: Mapping[str, Mapping[str, str]],
    ) -> list[Outcome]:
        """Run a job, once for each combination of its matrix, if it is to run."""
        contexts = self.contexts(job, results, outputs)
        status = statuses(self.workflow, job, results)
        known = functions(success=status["success"], failure=status["failure"])
        scope = Scope(contexts, known)
        if not condition(job.condition or "success()", scope):
            name = job.name if job.matrix else fill_text(job.name, scope)
            return [Outcome(name, "skipped")]
        plain = Scope(contexts, functions(success=True, failure=False))
        fail_fast = to_text(fill(job.fail_fast, plain)) == "true"
        ended: list[Outcome] = []
        for row in combinations(fill_tree(job.matrix, plain)):
            if fail_fast and result_of(ended) == "failure":
                break
            ended.append(self.combination(job, contexts, row))
        return ended

    def contexts(
        self,
        job: Job,
        results: Mapping[str, str],
        outputs: Mapping[str, Mapping[str, str]],
    ) -> dict[str, Any]:
        """Return what a job knows before its first step."""
        jobs = self.workflow.jobs
        needs = {
            name: {
                "result": results[name],
                "outputs": Known(
                    f"needs.{name}.outputs",
                    {key: outputs[name].get(key, "") for key in jobs[name].outputs},
                ),
            }
            for name in job.needs
        }
        inputs = filled_inputs(self.workflow, self.run.event)
        return {
            "github": github_context(self.run, workflow=self.workflow.name, job=job.id),
            "inputs": Known("inputs", inputs) if inputs else {},
            "needs": Known("needs", needs),
            "vars": dict(self.run.variables),
        }

    def combination(
        self, job: Job, contexts: Mapping[str, Any], row: Mapping[str, Any]
    ) -> Outcome:
        """Run the steps of a job in a folder of its own."""
        place = self.folder(job)
        # Under the repository's name, as runners have it.
        workspace = place / "work" / self.run.repository.rpartition("/")[2]
        for folder in (workspace, place / "temp", place / "tools"):
            folder.mkdir(parents=True)
        runner = runner_context(str(place / "temp"), str(place / "tools"))
        secrets = {"GITHUB_TOKEN": self.run.token, **self.run.secrets}
        known = {
            **contexts,
            "runner": runner,
            "secrets": secrets,
            "matrix": Known("matrix", dict(row)),
            "strategy": Known("strategy", {}),
        }
        scope = Scope(known, functions(success=True, failure=False))
        name = job_name(job, scope, row)
        self.say(f"\n{self.workflow.name} / {name}")
        env = filled(self.workflow.env, scope)
        env |= filled(job.env, Scope({**known, "env": env}, scope.functions))
        minutes = to_text(fill(job.minutes, scope)) or str(LONGEST)
        start = time.monotonic()
        run = JobRun(
            place=place / "temp",
            workspace=workspace,
            variables=self.variables(contexts["github"], runner, workspace),
            secrets={part for value in secrets.values() for part in parts(value)},
            say=self.say,
            check_out=self.check_out,
            token=bool(self.run.token),
            skipped=self.skipped,
            end=start + float(minutes) * 60,
        )
        frame = Frame(known, declared(job.steps), env, job.shell, job.folder)
        run_steps(run, job.steps, frame)
        scope = run.scope(frame)
        outputs = {key: fill_text(to_text(v), scope) for key, v in job.outputs.items()}
        goes_on = to_text(fill(job.goes_on, scope)) == "true"
        result = "failure" if run.failed and not goes_on else "success"
        seconds = time.monotonic() - start
        return Outcome(name, result, seconds, outputs, tuple(run.ended), run.summary)

    def folder(self, job: Job) -> Path:
        """Make a folder for one combination of one job."""
        stem = f"{Path(self.workflow.path).stem}-{job.id}"
        number = len(list(self.scratch.folder.glob(f"{stem}-*")))
        folder = self.scratch.folder / f"{stem}-{number}"
        folder.mkdir()
        return folder

    def variables(
        self, github: Known, runner: Known, workspace: Path
    ) -> dict[str, str]:
        """Return the environment that a step starts with."""
        event = self.scratch.folder / "event.json"
        event.write_text(json.dumps(self.run.payload), encoding="utf-8")
        return {
            **inherited(os.environ),
            **step_variables(github, runner, str(workspace)),
            "GIT_CONFIG_GLOBAL": str(self.scratch.git_config),
            "GITHUB_EVENT_PATH": str(event),
        }

    def check_out(self, workspace: Path, inputs: Mapping[str, str]) -> None:
        """Do what actions/checkout does."""
        check_out(self.scratch, workspace, inputs, ref=self.run.ref, sha=self.run.sha)

    def say(self, line: str) -> None:
        """Print at once: a step may take minutes."""
        print(line, flush=True)


def result_of(outcomes: Collection[Outcome]) -> str:
    """Sum the combinations of a matrix up."""
    results = {outcome.result for outcome in outcomes}
    if "failure" in results:
        return "failure"
    return "skipped" if results == {"skipped"} else "success"


def job_name(job: Job, scope: Scope, row: Mapping[str, Any]) -> str:
    """Name a job as its check is named; a matrix is told apart by its values."""
    name = fill_text(job.name, scope)
    if row and name == job.name:
        return f"{name} ({', '.join(to_text(value) for value in row.values())})"
    return name


def fill_tree(value: Any, scope: Scope) -> Any:  # noqa: ANN401 - YAML
    """Fill in every text of a tree, such as a matrix."""
    match value:
        case str():
            return fill(value, scope)
        case list():
            return [fill_tree(item, scope) for item in value]
        case dict():
            return {key: fill_tree(item, scope) for key, item in value.items()}
    return value
