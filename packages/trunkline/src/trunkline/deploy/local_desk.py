"""The desk of this clone, which also decides about commands typed here."""

import getpass
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from trunkline import process
from trunkline.commits.conventional import shown
from trunkline.errors import FailedError, Refusal
from trunkline.files import write_record
from trunkline.git import Repository

FILE = "desk.json"
# The person for whom a desk runs a command.
BY = "TRUNKLINE_BY"


@dataclass(frozen=True, slots=True)
class LocalDesk:
    """How to ask a desk on this machine about an environment."""

    # SERVICE/ENVIRONMENT and the URL of the service's page.
    place: str
    page: str
    # Its command, the folder to run it in, and the variables that it needs.
    program: list[str]
    folder: str
    variables: list[str]

    def act(self, by: str, action: str, **wish: str) -> str:
        """Ask the desk for permission, and return its answer; raises Refusal."""
        options = [f"--{name}={value}" for name, value in wish.items()]
        said = self._ask(self.place, action, f"--by={by}", *options)
        environment = self.place.partition("/")[2]
        if why := said.get("denied"):
            raise Refusal(
                rule="denied",
                found=shown(why),
                expected=f"what the rules of {environment} allow",
                fix=said.get("fix")
                or f"uv run trunkline reserve {environment} --take-over --why WHY",
            )
        return shown(said["said"])

    def _ask(self, *words: str) -> dict[str, str]:
        """Run the desk's own command, which prints JSON."""
        try:
            for name in self.variables:
                if name not in os.environ:
                    raise FailedError(f"${name}, the address of its store, is not set")
            ran = process.run([*self.program, *words], cwd=Path(self.folder))
            found: dict[str, str] = json.loads(ran.required().text)
        except (FailedError, ValueError) as error:
            raise Refusal(
                rule="desk",
                found=f"a desk that cannot be asked whose it is: {shown(str(error))}",
                expected=f"an answer about {self.place}",
                fix=f"the same command with --desk {self.page}  (if that desk is no "
                f"more, remove `{FILE}` from .git/trunkline/deploy/*)",
            ) from error
        return found


def state_folder(repository: Repository, environment: str) -> Path:
    """Return the folder of an environment's state, which all worktrees share."""
    return repository.common_dir.resolve() / "trunkline" / "deploy" / environment


def read_desk(folder: Path) -> LocalDesk | None:
    """Return the desk that serves an environment, by its state folder, or None."""
    try:
        return LocalDesk(**json.loads((folder / FILE).read_text("utf-8")))
    except FileNotFoundError:
        return None


def announce(desk: LocalDesk, root: Path) -> None:
    """Record the desk, so that commands in the clone at `root` ask it."""
    environment = desk.place.partition("/")[2]
    folder = state_folder(Repository.find(root), environment)
    folder.mkdir(parents=True, exist_ok=True)
    write_record(folder / FILE, asdict(desk))


def person(environment: Mapping[str, str]) -> str:
    """Return who deploys: the desk's person, the workflow's actor, or the user."""
    if named := environment.get(BY):
        return shown(named)
    if environment.get("GITHUB_ACTIONS") == "true" and "GITHUB_ACTOR" in environment:
        return shown(environment["GITHUB_ACTOR"])
    try:
        return shown(getpass.getuser())
    except (OSError, KeyError) as error:
        raise FailedError("the system does not know who runs this") from error
