"""An environment of a repository, with all that a deploy to it needs."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from trunkline.deploy import local_desk
from trunkline.deploy.candidates import find_branches, find_commit, find_image
from trunkline.deploy.databases import Databases
from trunkline.deploy.engines.compose import ComposeEngine
from trunkline.deploy.engines.image_store import ImageStore
from trunkline.deploy.engines.kubernetes import KubernetesEngine
from trunkline.deploy.engines.live_workload import LiveWorkload
from trunkline.deploy.engines.local import LocalEngine
from trunkline.deploy.engines.protocol import InstanceEngine
from trunkline.deploy.engines.workload import Workload
from trunkline.deploy.environments import find_environment
from trunkline.deploy.journal import DeployJournal
from trunkline.deploy.lock import only_deploy
from trunkline.deploy.operation import (
    Candidate,
    Facts,
    Operation,
    rollback_target,
    successes,
)
from trunkline.deploy.preflight import DatabasePlan
from trunkline.deploy.probe import is_well
from trunkline.deploy.proxy import LiveFile, require_address
from trunkline.deploy.runner import Deployer
from trunkline.errors import FailedError, TrunklineError
from trunkline.files import read_toml
from trunkline.git import Repository
from trunkline.output import say, shown_time
from trunkline.project import PYPROJECT
from trunkline.registry.client import Registry
from trunkline.registry.credentials import PASSWORD, USER
from trunkline.registry.reference import ImageName, image_name
from trunkline.settings import parse_settings

# A dry run's name, under which its variables are kept meanwhile.
PLAN = "plan"
HEALTHY = "healthy"


def environment_names() -> list[str]:
    """Return the environments of the current repository, as ordered in its settings."""
    document = read_toml(Repository.find().root / PYPROJECT)
    # Opening an undeclared environment explains how to declare it.
    return [*parse_settings(document).environments] or ["staging"]


class Deployment:
    """An environment of the repository that contains a folder, by default this one."""

    def __init__(
        self,
        name: str,
        flags: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.flags = flags or {}
        self.repository = Repository.find(folder)
        document = read_toml(self.repository.root / PYPROJECT)
        self.settings = parse_settings(document)
        self.script = str(document.get("project", {}).get("name", ""))
        self.environment = find_environment(self.settings.environments, name)
        self.folder = local_desk.state_folder(self.repository, name)
        # Whether a candidate is an image, rather than a commit to check out.
        self.images = self.environment.engine != "local"
        # In its own folder, because the proxy's container mounts all of it.
        composed = self.environment.engine == "compose"
        self.switch = LiveFile(self.folder / "switch" if composed else self.folder)
        if self.environment.engine == "kubernetes":
            workload = Workload(self.environment, self.script)
            self.switch = LiveWorkload(self.folder, workload)
        self.journal = DeployJournal(
            self.folder / "journal.db",
            address=self.environment.journal_address(os.environ),
            place=f"{self.script}/{name}",
        )

    @cached_property
    def by(self) -> str:
        """Who changes the environment, as others see it."""
        return local_desk.person(os.environ)

    def permit(self, action: str, **wish: str) -> None:
        """Ask the desk that serves this clone, if there is one; raises Refusal."""
        desk = local_desk.read_desk(self.folder)
        # The desk's own runner carries out what was already permitted.
        if desk and local_desk.BY not in os.environ:
            desk.act(self.by, action, **wish)

    @contextmanager
    def only(self, what: str, *, wait: bool) -> Iterator[int]:
        """Lock the environment; yields the descriptor that a migration inherits.

        Whoever else wants it is told what is being done, by whom and since when.
        """
        since = shown_time(time.time())
        doing = f"{self.by} is changing {self.environment.name} since {since}: {what}"
        with (
            only_deploy(self.folder, doing, wait=wait) as lock,
            self.journal.alone(wait=wait),
        ):
            yield lock

    def deployer(self, lock: int = -1, *, choice: str = "") -> Deployer:
        """Create the deployer; without the lock it may only read."""
        engine = self.engine(lock)
        engine.variables.flags = self.flags
        databases = Databases(
            engine=engine,
            journal=self.journal,
            folder=self.folder / "databases",
            environment=self.environment,
            script=self.script if self.settings.migrations else "",
            say=say,
            choice=choice,
        )
        return Deployer(
            engine=engine,
            switch=self.switch,
            databases=databases,
            journal=self.journal,
            window=self.environment.window,
            patience=self.settings.smoke_seconds,
            say=say,
        )

    def engine(self, lock: int) -> InstanceEngine:
        """Create the environment's engine."""
        if self.environment.engine == "compose":
            project = f"{self.script}-{self.environment.name}"
            return ComposeEngine(
                self.environment,
                self.repository.root,
                self.folder,
                images=ImageStore(self._image, self._as_docker, project),
            )
        if isinstance(self.switch, LiveWorkload):
            return KubernetesEngine(
                self.repository.root,
                self.folder,
                workload=self.switch.workload,
                images=self._image,
            )
        return LocalEngine(
            self.environment,
            self.repository,
            self.folder,
            script=self.script,
            lock=lock,
        )

    @property
    def _image(self) -> ImageName:
        return image_name(self.settings, os.environ)

    def registry(self) -> Registry:
        """Connect to the registry."""
        return Registry(self.settings, os.environ)

    def _as_docker(self) -> Registry:
        """Connect with the credentials of `docker login`, as `docker pull` does."""
        own = {USER, PASSWORD}
        found = {name: it for name, it in os.environ.items() if name not in own}
        return Registry(self.settings, found)

    def preview(self, deployer: Deployer, candidate: Candidate) -> DatabasePlan:
        """Pull a candidate and describe what it would do to the database."""
        plan = Operation(PLAN, candidate, by="", at=0, took_back=False)
        if not self.images:
            require_address(self.environment, self.folder)
        deployer.engine.pull(candidate)
        try:
            return deployer.databases.prepare(plan, None, plan=True)
        except FailedError as error:
            return DatabasePlan([f"it {error}"], migrates=True)
        finally:
            deployer.engine.remove(PLAN)
            deployer.engine.variables.forget(PLAN)

    def candidate(self, ref: str) -> Candidate:
        """Resolve a branch, tag or commit."""
        if self.images:
            with self.registry() as registry:
                return find_image(registry, self.repository, self.environment, ref)
        remote = self.settings.remote
        return find_commit(self.repository, self.environment, ref, remote=remote)

    def health(self, facts: Facts) -> str:
        """Describe the live instance briefly; HEALTHY if clients can reach it."""
        live = facts.at(facts.live)
        if live is None or live.address not in facts.well:
            return "unhealthy"
        at, host = self.environment.address, self.environment.host
        # Nothing restarts the local proxy after a reboot or a kill.
        if self.images or is_well(at, commit=live.commit, host=host):
            return HEALTHY
        return f"not reached: no proxy at {at}, which the next deploy starts"

    def tidy(self, deployer: Deployer) -> None:
        """Remove what is no longer needed, and protect the rest in the registry.

        Never fails: a leftover is reported, and does not make a good deploy a bad one.
        """
        # First the databases, because a deploy without its database is removed, too.
        for step in (self._drop, self._clean, self._point):
            try:
                step(deployer)
            except (TrunklineError, OSError) as error:
                say(f"the deploy succeeded, but cleaning up failed: {error}")

    def _drop(self, deployer: Deployer) -> None:
        """Drop the databases of deleted branches."""
        branches = find_branches(self.repository, self.settings.remote)
        deployer.databases.clean(branches)

    def _clean(self, deployer: Deployer) -> None:
        """Remove all but the live operation and the rollback targets."""
        dropped = deployer.databases.remains().dropped
        ended = successes(self.journal.operations())
        good = [one for one in ended if one.name not in dropped]
        commits = list(dict.fromkeys(o.candidate.commit for o in reversed(good)))
        newest = commits[: self.environment.keep + 1]
        deployer.engine.clean(tuple(o for o in good if o.candidate.commit in newest))

    def _point(self, deployer: Deployer) -> None:
        """Tag the live image and the rollback target, so that `prune` keeps them."""
        if not self.images:
            return
        operations = self.journal.operations()
        live = next(reversed(successes(operations)), None)
        name = live.name if live else None
        was = rollback_target(operations, name, deployer.databases.remains())
        found = {"live": live, "was": was}
        with self.registry() as registry:
            for kind, one in found.items():
                manifest = registry.manifest(one.candidate.digest) if one else None
                tag = f"{kind}.{self.environment.name}"
                if manifest and registry.digest(tag) != manifest.digest:
                    registry.put_manifest(tag, manifest)
