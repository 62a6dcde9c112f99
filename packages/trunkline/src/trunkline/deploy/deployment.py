"""One environment of a repository, with everything that a deploy to it needs."""

from collections.abc import Callable

from trunkline.deploy.candidates import find_commit
from trunkline.deploy.engines.local import LocalEngine
from trunkline.deploy.engines.protocol import InstanceEngine
from trunkline.deploy.environments import find_environment
from trunkline.deploy.journal import DeployJournal
from trunkline.deploy.operation import Candidate, Operation, Outcome
from trunkline.deploy.proxy import LiveFile
from trunkline.deploy.runner import Deployer
from trunkline.files import read_toml
from trunkline.git import Repository
from trunkline.output import say
from trunkline.project import PYPROJECT
from trunkline.settings import parse_settings


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
        return Deployer(
            engine=self.engine(lock),
            switch=LiveFile(self.folder),
            journal=self.journal,
            window=self.environment.window,
            say=tell,
        )

    def engine(self, lock: int) -> InstanceEngine:
        """Build the engine that the environment names."""
        return LocalEngine(
            self.environment,
            self.repository,
            self.folder,
            script=self.script,
            migrates=bool(self.settings.migrations),
            lock=lock,
        )

    def candidate(self, ref: str) -> Candidate:
        """Find what a person means by a branch, tag or commit."""
        return find_commit(self.repository, self.environment, ref)

    def kept(self) -> tuple[Operation, ...]:
        """Return the operations that can be taken back to, and the live one."""
        good = [o for o in self.journal.operations() if o.ending is Outcome.LIVE]
        commits = list(dict.fromkeys(o.candidate.commit for o in reversed(good)))
        newest = commits[: self.environment.keep + 1]
        return tuple(o for o in good if o.candidate.commit in newest)
