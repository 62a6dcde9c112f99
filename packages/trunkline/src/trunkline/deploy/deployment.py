"""One environment of a repository, with everything that a deploy to it needs."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
    Outcome,
    Remains,
    earlier,
)
from trunkline.deploy.probe import is_well
from trunkline.deploy.proxy import LiveFile
from trunkline.deploy.runner import Deployer
from trunkline.errors import FailedError, TrunklineError
from trunkline.files import read_toml
from trunkline.git import Repository
from trunkline.output import say
from trunkline.project import PYPROJECT
from trunkline.registry.client import Registry
from trunkline.registry.credentials import PASSWORD, USER
from trunkline.registry.reference import ImageName, image_name
from trunkline.settings import parse_settings

# Where the variables of a plan are kept while it is made.
PLAN = "plan"
WELL = "well"


def environment_names() -> list[str]:
    """Return the environments of the current repository, in their order."""
    document = read_toml(Repository.find().root / PYPROJECT)
    # Where there is none, the usual one says how to add it.
    return [*parse_settings(document).environments] or ["staging"]


class Deployment:
    """One environment of the repository around a folder, by default the current one."""

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
        # Images come from the registry; commits are checked out.
        self.images = self.environment.engine != "local"
        # A folder of its own, for the proxy's container sees all of it.
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

    def permit(self, by: str, action: str, **wish: str) -> None:
        """Let the desk decide that serves this clone, if one does; raises Refusal."""
        desk = local_desk.read_desk(self.folder)
        # What its runner types was decided when it was asked for.
        if desk and local_desk.BY not in os.environ:
            desk.act(by, action, **wish)

    @contextmanager
    def only(self, what: str, *, wait: bool) -> Iterator[int]:
        """Hold the environment; yields the descriptor that a migration inherits."""
        with (
            only_deploy(self.folder, what, wait=wait) as lock,
            self.journal.alone(wait=wait),
        ):
            yield lock

    def deployer(self, lock: int = -1, *, choice: str = "") -> Deployer:
        """Build the deployer; one without the lock may only look."""
        engine = self.engine(lock)
        engine.variables.flags = self.flags
        databases = self.databases(engine, choice)
        return Deployer(
            engine=engine,
            switch=self.switch,
            preflight=databases.prepare,
            migrate=databases.migrate,
            journal=self.journal,
            window=self.environment.window,
            patience=self.settings.smoke_seconds,
            say=say,
        )

    def engine(self, lock: int) -> InstanceEngine:
        """Build the engine that the environment names."""
        if self.environment.engine == "compose":
            project = f"{self.script}-{self.environment.name}"
            return ComposeEngine(
                self.environment,
                self.repository.root,
                self.folder,
                images=ImageStore(
                    *(self._image, self.registry, project), as_docker=self._as_docker
                ),
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
        """Connect to where images are stored."""
        return Registry(self.settings, os.environ)

    def _as_docker(self) -> Registry:
        """Connect as `docker pull` does, with the account of `docker login`."""
        own = {USER, PASSWORD}
        found = {name: it for name, it in os.environ.items() if name not in own}
        return Registry(self.settings, found)

    def databases(self, engine: InstanceEngine, choice: str = "") -> Databases:
        """Build what chooses and compares databases."""
        script = self.script if self.settings.migrations else ""
        folder = self.folder / "databases"
        return Databases(
            engine, self.journal, folder, self.environment, script, say, choice
        )

    def preview(
        self, engine: InstanceEngine, candidate: Candidate, choice: str
    ) -> list[str]:
        """Say what a candidate, which is brought here, would do to the database."""
        plan = Operation(PLAN, candidate, by="", at=0, took_back=False)
        engine.pull(candidate)
        try:
            return self.databases(engine, choice).plan(plan)
        except FailedError as error:
            return [f"it {error}"]
        finally:
            engine.remove(PLAN)
            engine.variables.forget(PLAN)

    def candidate(self, ref: str) -> Candidate:
        """Find what a person means by a branch, tag or commit."""
        if self.images:
            with self.registry() as registry:
                return find_image(registry, self.repository, self.environment, ref)
        remote = self.settings.remote
        return find_commit(self.repository, self.environment, ref, remote=remote)

    def health(self, facts: Facts) -> str:
        """Say in a word or two how what is live is; WELL if clients get to it."""
        live = facts.at(facts.live)
        if live is None or live.address not in facts.well:
            return "sick"
        at, host = self.environment.address, self.environment.host
        # The local proxy ends with the machine, or by a hand; others are started again.
        if self.images or is_well(at, commit=live.commit, host=host):
            return WELL
        return f"not reached: no proxy at {at}, which the next deploy starts"

    def tidy(self, engine: InstanceEngine) -> None:
        """Remove what nothing needs, and tell the registry what is; never fails."""
        # What lost its database needs nothing else either.
        for step in (self._drop, self._clean, self._point):
            try:
                step(engine)
            except (TrunklineError, OSError) as error:
                say(f"what serves is as it should be, but {error}")

    def remains(self, engine: InstanceEngine) -> Remains:
        """Say what is still here of what was put on, to be taken back to."""
        return self.databases(engine).remains()

    def _drop(self, engine: InstanceEngine) -> None:
        """Drop databases of branches that are gone."""
        branches = find_branches(self.repository, self.settings.remote)
        self.databases(engine).clean(branches)

    def _clean(self, engine: InstanceEngine) -> None:
        """Remove all but the operations that can be taken back to, and the live one."""
        operations = self.journal.operations()
        dropped = self.remains(engine).dropped
        good = [
            one
            for one in operations
            if one.ending is Outcome.LIVE and one.name not in dropped
        ]
        commits = list(dict.fromkeys(o.candidate.commit for o in reversed(good)))
        newest = commits[: self.environment.keep + 1]
        engine.clean(tuple(o for o in good if o.candidate.commit in newest))

    def _point(self, engine: InstanceEngine) -> None:
        """Let `prune` keep what is live and what can be taken back to."""
        if not self.images:
            return
        operations = self.journal.operations()
        live = next((o for o in operations[::-1] if o.ending is Outcome.LIVE), None)
        name = live.name if live else None
        was = earlier(operations, name, self.remains(engine))
        found = {"live": live, "was": was}
        with self.registry() as registry:
            for kind, one in found.items():
                manifest = registry.manifest(one.candidate.digest) if one else None
                tag = f"{kind}.{self.environment.name}"
                if manifest and registry.digest(tag) != manifest.digest:
                    registry.put_manifest(tag, manifest)
