"""`trunkline deploy`, `rollback`, `status` and `history`."""

import getpass
import json as json_
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from trunkline.deploy.environments import Environment, find_environment
from trunkline.deploy.journal import DeployJournal
from trunkline.deploy.local import LocalEngine
from trunkline.deploy.lock import only_deploy
from trunkline.deploy.operation import (
    Candidate,
    DeployStep,
    Operation,
    Outcome,
    earlier,
    interrupted,
    usual_seconds,
)
from trunkline.deploy.proxy import LiveFile, ensure_proxy
from trunkline.deploy.runner import Deployer, require_no_human
from trunkline.errors import FailedError, Refusal, UsageError
from trunkline.files import read_toml
from trunkline.git import HEADS, TAGS, Repository
from trunkline.options import DRY_RUN, JSON, command, option, switch
from trunkline.output import aligned, say
from trunkline.project import PYPROJECT
from trunkline.settings import parse_settings
from trunkline.versions import Version

WAIT = switch("--wait", "wait for a running deploy to this environment")
TO = option(
    "--to", metavar="ENV", required=True, dest="environment", help="the environment"
)
ENV = option("environment", metavar="ENV", help="the environment")
DIGITS = 12


@command(
    option("ref", metavar="REF", help="a branch, a tag or a commit"),
    *(TO, WAIT, DRY_RUN, JSON),
)
def deploy(*, ref: str, environment: str, wait: bool, dry_run: bool, json: bool) -> int:
    """Put a commit on an environment."""

    def choose(place: "Deployment") -> Candidate:
        return resolve(place.repository, place.environment, ref)

    return _operate(
        choose, environment, took_back=False, wait=wait, dry_run=dry_run, json=json
    )


@command(ENV, WAIT, DRY_RUN, JSON)
def rollback(*, environment: str, wait: bool, dry_run: bool, json: bool) -> int:
    """Take an environment back to what served well before, with its variables."""

    def choose(place: "Deployment") -> Candidate:
        operations = place.journal.operations()
        live = place.deployer().facts()
        serving = live.at(live.live)
        found = earlier(operations, serving.operation if serving else None)
        if found is None:
            raise Refusal(
                rule="rollback",
                found="no other commit that lived through its window",
                expected="an earlier deploy that ended well",
                fix=f"trunkline history {environment}",
            )
        then = found.candidate
        return Candidate(then.ref, then.commit, then.variables_of or found.name)

    return _operate(
        choose, environment, took_back=True, wait=wait, dry_run=dry_run, json=json
    )


@command(ENV, JSON)
def status(*, environment: str, json: bool) -> int:
    """Print what serves, by the facts; exit code 1 if nothing serves well."""
    place = Deployment(environment)
    facts = place.deployer().facts()
    live = facts.at(facts.live)
    operations = place.journal.operations()
    told = next((o for o in operations if live and o.name == live.operation), None)
    left = interrupted(operations)
    well = live is not None and live.address in facts.well
    document = {
        "environment": environment,
        "url": place.environment.url,
        "commit": live.commit if live else None,
        "ref": told.candidate.ref if told else None,
        "by": told.by if told else None,
        "since": _time(told.at) if told else None,
        "well": well,
        "unfinished": left.name if left else None,
    }
    if json:
        print(json_.dumps(document))
    elif live is None:
        print(f"nothing serves on {environment}")
    else:
        since = f", by {told.by} at {_time(told.at)}" if told else ""
        name = f"{told.candidate.ref} " if told else ""
        print(f"{name}{live.commit[:DIGITS]} {'is well' if well else 'is sick'}{since}")
    if left and not json:
        print(f"unfinished: {left.candidate.ref}, begun by {left.by}; or it runs now")
    return 0 if well else 1


@command(ENV, JSON)
def history(*, environment: str, json: bool) -> int:
    """Print what was put on an environment, the newest first."""
    operations = Deployment(environment).journal.operations()[::-1]
    rows = [
        (
            _time(one.at),
            one.by,
            "take back" if one.took_back else "deploy",
            one.candidate.ref,
            one.candidate.commit[:DIGITS],
            one.ending.value if one.ending else "unfinished",
        )
        for one in operations
    ]
    if json:
        names = ("at", "by", "kind", "ref", "commit", "ending")
        print(json_.dumps([dict(zip(names, row, strict=True)) for row in rows]))
    elif rows:
        print("\n".join(aligned(rows)))
    return 0


class Deployment:
    """One environment of the repository around the working directory."""

    def __init__(self, name: str) -> None:
        self.repository = Repository.find()
        document = read_toml(self.repository.root / PYPROJECT)
        self.settings = parse_settings(document)
        self.script = str(document.get("project", {}).get("name", ""))
        self.environment = find_environment(self.settings.environments, name)
        # Shared by all worktrees of the clone.
        common = self.repository.common_dir.resolve()
        self.folder = common / "trunkline" / "deploy" / name
        self.journal = DeployJournal(self.folder / "journal.db")

    def deployer(self, lock: int = -1, tell: Callable[[str], None] = say) -> Deployer:
        """Build the deployer; one without the lock may only look."""
        engine = LocalEngine(
            self.environment,
            self.repository,
            self.folder,
            script=self.script,
            migrates=bool(self.settings.migrations),
            lock=lock,
        )
        return Deployer(
            engine=engine,
            switch=LiveFile(self.folder),
            journal=self.journal,
            well=engine.well,
            window=self.environment.window,
            say=tell,
        )


def resolve(repository: Repository, environment: Environment, ref: str) -> Candidate:
    """Find the commit of a branch, tag or commit id, once and for all."""
    tag = ref.removeprefix(TAGS)
    if environment.accepts == "releases" and not (
        Version.from_tag(tag) and repository.refs(f"{TAGS}{tag}")
    ):
        raise Refusal(
            rule="releases-only",
            found=f"`{ref}`, which is no tag of a version",
            expected=f"a release such as v1.2.0: {environment.name} accepts no other",
            fix="git tag --list 'v*'",
        )
    if environment.accepts == "releases":
        names = [f"{TAGS}{tag}"]
    else:
        names = [f"{HEADS}{ref}", f"refs/remotes/origin/{ref}", f"{TAGS}{ref}", ref]
    for name in names:
        found = repository.run(
            *("rev-parse", "--quiet", "--verify", "--end-of-options"),
            f"{name}^{{commit}}",
        )
        if found.ok:
            return Candidate(ref, found.text)
    raise UsageError(
        f"`{ref}` is no branch, tag or commit here\n"
        "  type next: git fetch --tags, then the same command"
    )


def _operate(
    choose: Callable[[Deployment], Candidate],
    environment: str,
    *,
    took_back: bool,
    wait: bool,
    dry_run: bool,
    json: bool,
) -> int:
    place = Deployment(environment)
    if dry_run:
        _print_plan(place, choose(place), json=json)
        return 0
    by = person(os.environ)
    doing = f"{by} is changing {environment} since {_time(time.time())}"
    with only_deploy(place.folder, doing, wait=wait) as lock:
        deployer = place.deployer(lock)
        left = deployer.recover()
        require_no_human(left, deployer.facts(), str(place.folder))
        if left:
            say(f"the interrupted deploy ended: {left.verdict.value}, {left.why}")
        ensure_proxy(place.environment, place.folder)
        operation = Operation(
            name=uuid.uuid4().hex[:DIGITS],
            candidate=choose(place),
            by=by,
            at=time.time(),
            took_back=took_back,
        )
        with _interruption_explained():
            new = deployer.deploy(operation)
        deployer.engine.clean(_kept(place))
    if json:
        print(json_.dumps({"commit": new.commit, "url": place.environment.url}))
    else:
        print(
            f"{operation.candidate.ref} {new.commit[:DIGITS]} serves at "
            f"{place.environment.url}"
        )
    return 0


@contextmanager
def _interruption_explained() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        say("the next deploy or rollback finishes or undoes this one by the facts")
        raise


def _print_plan(place: Deployment, candidate: Candidate, *, json: bool) -> None:
    usual = usual_seconds(place.journal.operations())
    steps = [step.value for step in DeployStep]
    if json:
        document = {"ref": candidate.ref, "commit": candidate.commit, "steps": steps}
        print(json_.dumps(document | {"usual_seconds": usual}))
        return
    print(f"{candidate.ref} {candidate.commit[:DIGITS]} → {place.environment.url}")
    print(", ".join(steps) + (f"; {usual:.0f} s usually" if usual else ""))


def _kept(place: Deployment) -> frozenset[str]:
    good = [o for o in place.journal.operations() if o.ending is Outcome.LIVE]
    commits = list(dict.fromkeys(o.candidate.commit for o in reversed(good)))
    return frozenset(commits[: place.environment.keep + 1])


def person(environment: Mapping[str, str]) -> str:
    """Return who deploys: the workflow's actor, or the system's user."""
    if environment.get("GITHUB_ACTIONS") == "true" and "GITHUB_ACTOR" in environment:
        return environment["GITHUB_ACTOR"]
    try:
        return getpass.getuser()
    except (OSError, KeyError) as error:
        raise FailedError("the system does not know who runs this") from error


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
