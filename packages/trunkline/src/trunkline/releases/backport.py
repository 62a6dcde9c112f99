"""`trunkline backport`: bring a released hotfix to the trunk."""

from json import dumps

from trunkline.errors import FailedError, Refusal, UsageError
from trunkline.git import Repository
from trunkline.locks import only_release
from trunkline.options import DRY_RUN, JSON, command, option, switch
from trunkline.output import refuse
from trunkline.project import CHANGELOG, head_project
from trunkline.releases import backportend, backportrecord
from trunkline.releases.backportrecord import Record
from trunkline.releases.hotfix import (
    Hotfix,
    Kind,
    Progress,
    Step,
    plan_steps,
    refuse_hotfix,
    refuse_tag,
)
from trunkline.releases.hotfixsurvey import find_hotfix
from trunkline.releases.picks import Place
from trunkline.releases.rules import BACKPORT_RULES
from trunkline.releases.state import State, TagState
from trunkline.releases.survey import ask_remote, gather, read_status, tag_states
from trunkline.versions import Version

AGAIN = "uv run trunkline backport"


@command(
    option("tag", nargs="?", help="the hotfix's release tag", metavar="vX.Y.Z"),
    switch("--continue", "resume after resolving a conflict", dest="go_on"),
    switch("--abort", "undo an unfinished backport"),
    DRY_RUN,
    JSON,
)
def backport(
    *, tag: str | None, go_on: bool, abort: bool, dry_run: bool, json: bool
) -> int:
    """Bring the commits and the changelog section of a hotfix to the trunk.

    A conflict stops it; `go_on` or `abort` ends what an earlier run has begun, also one
    that was killed. Nothing is pushed.
    """
    if [tag is not None, go_on, abort].count(True) != 1:
        raise UsageError(
            f"expected one of: {AGAIN} vX.Y.Z, {AGAIN} --continue, {AGAIN} --abort"
        )
    if json and not (dry_run and tag):
        raise UsageError(f"--json prints a plan: {AGAIN} vX.Y.Z --dry-run --json")
    repository = Repository.find()
    try:
        with only_release(repository.common_dir) as lock:
            place = Place(repository, lock)
            if tag is not None:
                return start(place, tag, dry_run=dry_run, as_json=json)
            if abort:
                return backportend.abort(place, dry_run=dry_run)
            return backportend.go_on(place, dry_run=dry_run)
    except BrokenPipeError:
        raise
    except OSError as error:
        begun = backportrecord.exists(repository.git_dir)
        again = f"{AGAIN} --continue, or {AGAIN} --abort" if begun else f"{AGAIN} {tag}"
        raise FailedError(
            f"a file could not be written: {error}\n"
            f"  type next, when that is fixed: {again}"
        ) from error


def start(place: Place, tag: str, *, dry_run: bool, as_json: bool) -> int:
    """Check, plan and make every commit that the trunk lacks."""
    repository = place.repository
    state, released = look(repository, tag)
    found = [refusal for rule in BACKPORT_RULES if (refusal := rule(state))]
    if found:
        return refuse(found)
    hotfix = check(repository, state, released)
    steps = plan_steps(hotfix, trunk=state.current)
    if as_json:
        show_json(state, hotfix, steps)
    elif not steps:
        print(f"nothing to do: {state.branch} has all of {tag}")
    else:
        show_plan(state, hotfix, steps)
    if dry_run or not steps:
        return 0
    if steps[0].kind is Kind.FORWARD:
        return forward(place, state, tag)
    record = Record(tag, str(state.branch), state.head, steps)
    backportrecord.begin(repository.git_dir, record)
    return backportend.make_all(place, record, Progress((), steps, ()))


def look(repository: Repository, tag: str) -> tuple[State, TagState]:
    """Gather the state of the trunk and of the tag with one question to the remote."""
    if Version.from_tag(tag) is None:
        raise UsageError(f"`{tag}` is no tag of a version; expected one like v1.1.1")
    project = head_project(repository)
    settings, status = project.settings, read_status(repository)
    remote = ask_remote(repository, settings, status, [project.version.tag, tag])
    state = gather(
        repository,
        settings,
        status=status,
        written=project.version,
        changelog=CHANGELOG,
        remote=remote,
    )
    return state, tag_states(repository, [tag], remote, state.head)[0]


def check(repository: Repository, state: State, tag: TagState) -> Hotfix:
    """Return the hotfix; raises Refusal if the tag is not one of this trunk's."""
    refusal: Refusal | None = refuse_tag(tag, remote=state.remote)
    if refusal is None:
        hotfix = find_hotfix(repository, tag)
        refusal = refuse_hotfix(hotfix, trunk=state.trunk)
        if refusal is None:
            return hotfix
    raise refusal


def show_plan(state: State, hotfix: Hotfix, steps: tuple[Step, ...]) -> None:
    """Print what the trunk is going to get, and what it has."""
    print(f"backport {hotfix.tag.name} to {state.branch}, which is at {state.current}")
    for fix in hotfix.fixes:
        if fix.here:
            print(f"  have       {fix.commit[:12]}  {fix.subject} ({fix.here})")
    for step in steps:
        print(f"  {step}")


def show_json(state: State, hotfix: Hotfix, steps: tuple[Step, ...]) -> None:
    """Print the same plan for a machine."""
    plan = {
        "tag": hotfix.tag.name,
        "commit": hotfix.tag.commit,
        "branch": state.branch,
        "version": str(state.current),
        "steps": [
            {"kind": step.kind, "commit": step.commit, "subject": step.subject}
            for step in steps
        ],
        "have": [
            {"commit": fix.commit, "subject": fix.subject, "why": fix.here}
            for fix in hotfix.fixes
            if fix.here
        ],
    }
    print(dumps(plan, indent=2, ensure_ascii=False))


def forward(place: Place, state: State, tag: str) -> int:
    """Move a trunk that has nothing of its own to the release itself."""
    done = place.run("merge", "-q", "--ff-only", f"refs/tags/{tag}")
    if not done.ok:
        raise FailedError(f"`git merge --ff-only {tag}` failed:\n{done.complaint}")
    print(f"{state.branch} is {tag} now\n  type next: git push {state.remote} HEAD")
    return 0
