"""`trunkline ci`: what an event would start on GitHub, run on this machine."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from trunkline.errors import UsageError
from trunkline.git import Repository
from trunkline.options import DRY_RUN, command, option, repeated, switch
from trunkline.output import say
from trunkline.pipeline.events import Event, starts
from trunkline.pipeline.happening import Asked, changed, full_ref, home, make_run
from trunkline.pipeline.jobs import in_order
from trunkline.pipeline.localrun import LocalRun, Outcome
from trunkline.pipeline.scratch import make_scratch
from trunkline.pipeline.standins import is_local, stand_in
from trunkline.pipeline.workflow import Workflow, parse_workflow
from trunkline.pipeline.yamlfile import parse_yaml
from trunkline.releases.project import head_project
from trunkline.settings import Settings
from trunkline.signals import interrupted_by_signals, undisturbed

WORKFLOWS = ".github/workflows"
_PAIR = re.compile(r"(\w[\w-]*)=(.*)", re.DOTALL)


EVENTS = (
    *("push", "pull_request", "merge_group"),
    *("delete", "schedule", "workflow_dispatch"),
)


@command(
    option("--event", choices=EVENTS, default="push", help="default: push"),
    option("--ref", metavar="REF", help="branch or tag; default: HEAD's"),
    option("--base", metavar="BRANCH", help="target branch of the pull request"),
    option("--action", default="opened", help="activity type of the pull request"),
    option("--workflow", metavar="FILE", help="run only this workflow"),
    repeated("--job", "run this job and the jobs it needs", metavar="ID"),
    repeated("--input", "input of a manual run", dest="inputs", metavar="NAME=VALUE"),
    repeated("--var", "repository variable", metavar="NAME=VALUE"),
    repeated("--secret", "repository secret, read from this variable", metavar="NAME"),
    repeated("--skip", "skip this action", metavar="OWNER/REPO"),
    option("--event-file", metavar="FILE", help="JSON merged into the event payload"),
    switch("--list", "list the jobs and exit", dest="listing"),
    DRY_RUN,
    switch("--keep", "keep the folder with the clones"),
)
def ci(
    *,
    event: str,
    ref: str | None,
    base: str | None,
    action: str,
    workflow: str | None,
    job: Sequence[str] | None,
    inputs: Sequence[str] | None,
    var: Sequence[str] | None,
    secret: Sequence[str] | None,
    skip: Sequence[str] | None,
    event_file: str | None,
    listing: bool,
    dry_run: bool,
    keep: bool,
) -> int:
    """Run the workflows that an event starts; returns 1 if a job failed or none ran."""
    repository = Repository.find()
    settings = head_project(repository).settings
    happened = Event(
        event,
        full_ref(repository, ref, event),
        base=(base or settings.trunk) if event == "pull_request" else "",
        action=action,
        inputs=pairs("--input", inputs),
    )
    happened = replace(happened, paths=changed(repository, happened, settings))
    asked = Asked(
        workflow,
        job or (),
        frozenset(skip or ()),
        read_secrets(secret or ()),
        pairs("--var", var),
        read_event_file(event_file),
    )
    commit = home(happened, settings)
    chosen = [it for it in read_workflows(repository, commit) if is_asked(it, asked)]
    started = [it for it in chosen if starts(it, happened)]
    if not started:
        say(nothing_starts(chosen, happened, asked))
        return 1
    if event == "workflow_dispatch" and len(started) > 1:
        names = ", ".join(it.path for it in started)
        raise UsageError(
            f"a manual run is of one workflow; --workflow is one of {names}"
        )
    require_stand_ins(started, asked)
    if listing or dry_run:
        print(plan(started, asked, steps=dry_run))
        return 0
    return run_all(repository, settings, started, happened, asked, keep=keep)


def pairs(option: str, given: Sequence[str] | None) -> dict[str, str]:
    """Read options of the form NAME=VALUE."""
    found = {}
    for text in given or ():
        match = _PAIR.fullmatch(text)
        if match is None:
            raise UsageError(f"{option} {text}: expected NAME=VALUE")
        found[match[1]] = match[2]
    return found


def read_secrets(names: Sequence[str]) -> dict[str, str]:
    """Take secrets from the environment, for a command line is seen by everybody."""
    for name in names:
        if name not in os.environ:
            raise UsageError(f"--secret {name}: expected a variable of that name")
    return {name: os.environ[name] for name in names}


def read_event_file(path: str | None) -> dict[str, Any]:
    """Read what GitHub would tell of the event beyond what git knows."""
    if path is None:
        return {}
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"--event-file {path} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise UsageError(f"--event-file {path} holds no object")
    return document


def read_workflows(repository: Repository, commit: str) -> list[Workflow]:
    """Read every workflow of a commit, as GitHub does."""
    listed = repository.run("ls-tree", "-z", "--name-only", commit, f"{WORKFLOWS}/")
    paths = [it for it in listed.text.split("\0") if it.endswith((".yml", ".yaml"))]
    found = repository.objects([f"{commit}:{path}" for path in paths])
    return [
        parse_workflow(path, parse_yaml(path, blob.content.decode("utf-8", "replace")))
        for path, blob in zip(paths, found.values(), strict=True)
        if blob
    ]


def is_asked(workflow: Workflow, asked: Asked) -> bool:
    """Whether a workflow is the one that was asked for, by file or name."""
    path = Path(workflow.path)
    own = (workflow.path, path.name, path.stem, workflow.name)
    return asked.workflow is None or asked.workflow in own


def nothing_starts(chosen: Sequence[Workflow], event: Event, asked: Asked) -> str:
    """Say why nothing runs."""
    where = asked.workflow or f"of {WORKFLOWS}"
    events = sorted({name for workflow in chosen for name in workflow.on})
    return (
        f"trunkline: {event.name} of {event.ref} starts no workflow {where}\n"
        f"  found:     {', '.join(it.path for it in chosen) or 'no workflow'}"
        f"{f', on {", ".join(events)}' if events else ''}\n"
        f"  type next: uv run trunkline ci --list --event {'|'.join(EVENTS)}"
    )


def require_stand_ins(workflows: Sequence[Workflow], asked: Asked) -> None:
    """Refuse before the first step what could not be run by the last."""
    for workflow in workflows:
        for job in in_order(workflow, asked.jobs):
            for step in job.steps:
                if step.uses and not is_local(step.uses):
                    stand_in(step.uses, skipped=asked.skipped)


def plan(workflows: Sequence[Workflow], asked: Asked, *, steps: bool) -> str:
    """Lay out what would run, in order."""
    lines = []
    for workflow in workflows:
        lines.append(f"{workflow.name}  ({workflow.path})")
        for job in in_order(workflow, asked.jobs):
            needs = f"  needs {', '.join(job.needs)}" if job.needs else ""
            lines.append(f"  {job.id}: {job.name}{needs}")
            if job.condition:
                lines.append(f"      if {' '.join(job.condition.split())}")
            for step in job.steps if steps else ():
                lines.append(f"      - {step.title}")
    return "\n".join(lines)


def run_all(
    repository: Repository,
    settings: Settings,
    workflows: Sequence[Workflow],
    event: Event,
    asked: Asked,
    *,
    keep: bool,
) -> int:
    """Run workflows on a scratch remote, and report."""
    edited = len(repository.read("status", "--porcelain").splitlines())
    if edited:
        say(f"{edited} uncommitted changes are not part of this run")
    with (
        interrupted_by_signals(),
        scratch_folder(keep=keep) as folder,
    ):
        scratch = make_scratch(
            repository, folder, remote=settings.remote, trunk=settings.trunk
        )
        run = make_run(repository, settings, scratch, event, asked)
        say(f"{event.name} of {event.ref} at {run.sha[:12]}")
        ended = [
            (workflow, LocalRun(workflow, run, scratch, asked.skipped))
            for workflow in workflows
        ]
        outcomes = {it.path: local.all_jobs(asked.jobs) for it, local in ended}
        for workflow in workflows:
            print(report(workflow.name, outcomes[workflow.path]))
        if keep:
            say(f"kept: {folder}")
    results = {it.result for group in outcomes.values() for it in group}
    return 1 if "failure" in results else 0


@contextmanager
def scratch_folder(*, keep: bool) -> Iterator[Path]:
    """Make a folder and, unless it is to be kept, remove it whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="trunkline-ci-"))
    try:
        yield folder
    finally:
        if not keep:
            with undisturbed():
                shutil.rmtree(folder, ignore_errors=True)


def report(name: str, outcomes: Sequence[Outcome]) -> str:
    """Sum a workflow up: its jobs, what failed, and what did not run here."""
    lines = [f"\n{name}"]
    for outcome in outcomes:
        lines.append(
            f"  {outcome.name:<24} {outcome.result:<8} {outcome.seconds:6.1f} s"
        )
        for step in outcome.steps:
            if step.outcome == "failure" or step.note:
                note = step.note or "failed"
                lines.append(f"    {step.title}: {note}")
        if outcome.summary:
            lines += [f"    | {line}" for line in outcome.summary.splitlines()]
    return "\n".join(lines)
