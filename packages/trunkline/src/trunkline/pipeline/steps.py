"""Run the steps of a job, and those of the repository's own actions in it."""

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from trunkline.errors import UsageError
from trunkline.pipeline.expressions import condition, fill, fill_text
from trunkline.pipeline.jobrun import Done, Ended, Frame, JobRun, declared, filled
from trunkline.pipeline.scripts import run_script
from trunkline.pipeline.standins import NOT_RUN, StandIn, is_local, stand_in
from trunkline.pipeline.values import Known
from trunkline.pipeline.workflow import Action, Step, parse_action
from trunkline.pipeline.yamlfile import read_yaml
from trunkline.process import ProcessError


def run_steps(job: JobRun, steps: Sequence[Step], frame: Frame) -> None:
    """Run steps in their order; after a failure only those that want to."""
    for step in steps:
        job.number += 1
        run_step(job, step, frame)


def run_step(job: JobRun, step: Step, frame: Frame) -> None:
    """Run one step if its condition holds, and keep how it ended."""
    scope = job.scope(frame)
    title = frame.name + fill_text(step.title, scope)
    if not condition(step.condition or "success()", scope):
        _keep(job, step, frame, Ended(title, "skipped"), Done(ok=True))
        return
    job.say(f"▶ {title}")
    start = time.monotonic()
    env = filled(step.env, scope)
    try:
        done = _do(job, step, frame, env, title=title)
    except ProcessError as error:
        done = Done(ok=False, note=str(error))
    seconds = time.monotonic() - start
    outcome = "success" if done.ok else "failure"
    if done.note:
        job.say(f"  {done.note}")
    _keep(job, step, frame, Ended(title, outcome, seconds, done.note), done)


def _do(
    job: JobRun, step: Step, frame: Frame, env: Mapping[str, str], *, title: str
) -> Done:
    scope = job.scope(frame, env)
    if step.run:
        return run_script(job, step, frame, scope, env)
    inputs = filled(step.inputs, scope)
    if is_local(step.uses):
        action = read_action(job, step.uses)
        return run_action(
            job, action, inside(job, action, frame, given=inputs, env=env, title=title)
        )
    found = stand_in(step.uses, skipped=job.skipped)
    if found is StandIn.CHECKOUT:
        job.check_out(job.workspace, inputs)
    if found is StandIn.UV and not shutil.which("uv", path=job.path):
        return Done(ok=False, note="uv is not on the PATH, where setup-uv puts it")
    return Done(ok=True, note=found.value if found in NOT_RUN else "")


def _keep(job: JobRun, step: Step, frame: Frame, ended: Ended, done: Done) -> None:
    """Note how a step ended, for the next ones and for the report."""
    failed = ended.outcome == "failure"
    goes_on = failed and fill(step.goes_on, job.scope(frame)) in (True, "true")
    if step.id:
        conclusion = "success" if goes_on else ended.outcome
        told = {"outcome": ended.outcome, "conclusion": conclusion}
        frame.steps[step.id] = {"outputs": dict(done.outputs), **told}
    if failed:
        after = ", and the job goes on" if goes_on else ""
        job.say(f"  failed after {ended.seconds:.1f} s{after}")
    job.failed = job.failed or (failed and not goes_on)
    job.ended.append(ended)


def read_action(job: JobRun, uses: str) -> Action:
    """Read an action of the repository from the job's checkout."""
    for name in ("action.yml", "action.yaml"):
        file = job.workspace / uses / name
        if file.is_file():
            return parse_action(f"{uses}/{name}", read_yaml(file))
    raise UsageError(
        f"there is no action {uses} in the job's checkout; expected "
        f"{uses}/action.yml, and actions/checkout before it"
    )


def inside(
    job: JobRun,
    action: Action,
    frame: Frame,
    *,
    given: Mapping[str, str],
    env: Mapping[str, str],
    title: str,
) -> Frame:
    """Return what an action's steps see; raises UsageError on wrong inputs."""
    unknown = sorted(set(given) - set(action.inputs))
    missing = sorted(action.required - set(given))
    if unknown or missing:
        what = f"no input `{unknown[0]}`" if unknown else f"`{missing[0]}` is required"
        raise UsageError(f"{action.path}: {what}")
    scope = job.scope(frame, env)
    inputs = {
        name: given.get(name, fill_text(default, scope))
        for name, default in action.inputs.items()
    }
    # GitHub gives an action neither variables nor secrets.
    kept = {k: v for k, v in frame.contexts.items() if k not in ("vars", "secrets")}
    return replace(
        frame,
        contexts={**kept, "inputs": Known("inputs", dict(inputs))},
        steps=declared(action.steps),
        env={**frame.env, **env},
        shell="",
        folder="",
        name=f"{title} / ",
    )


def run_action(job: JobRun, action: Action, frame: Frame) -> Done:
    """Run an action's steps; it fails if one of them does."""
    before, job.failed = job.failed, False
    run_steps(job, action.steps, frame)
    failed, job.failed = job.failed, before
    scope = job.scope(frame)
    outputs = {name: fill_text(value, scope) for name, value in action.outputs.items()}
    return Done(ok=not failed, outputs=outputs)
