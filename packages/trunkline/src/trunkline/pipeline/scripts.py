"""Run the script of a step, as GitHub's runner starts it."""

import time
from collections.abc import Mapping

from trunkline import process
from trunkline.errors import UsageError
from trunkline.pipeline.expressions import Scope, fill, fill_text
from trunkline.pipeline.jobrun import LONGEST, Done, Frame, JobRun
from trunkline.pipeline.standins import NEEDS_TOKEN, asks_github
from trunkline.pipeline.values import to_text
from trunkline.pipeline.workflow import Step

_FILES = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")
SHELLS = {
    "": ("bash", "-e"),
    "bash": ("bash", "--noprofile", "--norc", "-eo", "pipefail"),
    "sh": ("sh", "-e"),
    "python": ("python",),
}


def run_script(
    job: JobRun, step: Step, frame: Frame, scope: Scope, env: Mapping[str, str]
) -> Done:
    """Run a step's script; without a token one that asks GitHub is not run."""
    if asks_github(step.run) and not job.token:
        return Done(ok=True, note=NEEDS_TOKEN)
    shell = step.shell or frame.shell
    if shell not in SHELLS:
        raise UsageError(
            f"`shell: {shell}` is not known to a local run; "
            f"expected one of {', '.join(filter(None, SHELLS))}"
        )
    script = job.place / f"step-{job.number}"
    script.write_text(fill_text(step.run, scope), encoding="utf-8")
    files = {name: job.place / f"{name}-{job.number}" for name in _FILES}
    for file in files.values():
        file.touch()
    own = {name: str(file) for name, file in files.items()} | {"PATH": job.path}
    code = process.stream(
        [*SHELLS[shell], str(script)],
        cwd=job.workspace / fill_text(step.folder or frame.folder or ".", scope),
        env={**job.variables, **frame.env, **job.exported, **env, **own},
        line=job.hear,
        timeout=_seconds(job, to_text(fill(step.minutes, scope))),
    )
    outputs = job.read(files)
    return Done(ok=code == 0, note=f"exit code {code}" if code else "", outputs=outputs)


def _seconds(job: JobRun, minutes: str) -> float:
    """Return how long a step may take: its own limit or what is left of the job's."""
    left = max(1.0, job.end - time.monotonic())
    return min(float(minutes or LONGEST) * 60, left)
