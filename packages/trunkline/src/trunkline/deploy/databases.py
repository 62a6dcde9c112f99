"""Choose a candidate's database: the environment's, or its branch's own."""

import hashlib
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

from trunkline.deploy.engines.protocol import InstanceEngine
from trunkline.deploy.environments import Environment
from trunkline.deploy.journal import DeployJournal
from trunkline.deploy.operation import (
    Instance,
    Operation,
    Remains,
    find_operation,
    successes,
)
from trunkline.deploy.preflight import (
    DatabasePlan,
    DatabaseReport,
    read_report,
    require_known,
)
from trunkline.deploy.variables import LAST_LINES
from trunkline.errors import FailedError, Refusal
from trunkline.images.tags import branch_tag
from trunkline.process import Completed

SCRIPT = Path(__file__).with_name("own_database.py")
# The exit code of argparse for an unknown option.
USAGE = 2
DATABASE = "APP_DATABASE_URL"
# The files that say that a branch has a database of its own, or had one.
OWN, GONE = ".own", ".gone"
# The current variables are kept under this name while a database is dropped.
DROP = "drop"
NEW = re.compile(r"_(new_[0-9a-f]{6})")
FEW_LINES = 3
# What a dry run says of a database that only a deploy creates.
MADE = {
    "own": "the branch gets a database of its own",
    "new": "the environment gets a new database",
}


@dataclass(frozen=True, slots=True)
class Databases:
    """Compares a candidate with its database before a deploy, and creates databases."""

    engine: InstanceEngine
    journal: DeployJournal
    folder: Path
    environment: Environment
    # The service's command; empty if it has no migrations.
    script: str
    say: Callable[[str], None]
    # What to do if the candidate lacks migrations: own, new or downgrade.
    choice: str = ""

    def prepare(
        self, operation: Operation, live: Instance | None, *, plan: bool = False
    ) -> DatabasePlan:
        """Choose the database, and return what the candidate will do to it.

        Raises Refusal if the candidate does not fit it; a downgrade is up to what is
        live. A plan creates nothing.
        """
        then = operation.candidate.variables_of
        if then and not self.engine.variables.file(then).exists():
            self.say(
                "the variables of then are not kept any more: it gets those of now"
            )
        self.engine.variables.keep(operation.name, then)
        if plan and self.choice in MADE:
            return DatabasePlan([MADE[self.choice]], migrates=True)
        self._use_chosen(operation)
        report = self._report(operation)
        if report and report.state == "unknown" and self.choice == "downgrade":
            if plan:
                return DatabasePlan(report.lines, report.migrates)
            self._downgrade(operation, report, live)
            report = self._report(operation)
        if report is None:
            return DatabasePlan([], migrates=bool(self.script))
        require_known(report, operation.candidate.ref, self.environment)
        return DatabasePlan(report.lines, report.migrates)

    def migrate(self, operation: Operation) -> None:
        """Upgrade the database; raises FailedError with the service's output."""
        argv = (self.script, "migrate")
        answer = self.engine.ask(operation.candidate, operation.name, argv)
        self._required(operation, answer, "migrate the database", most=LAST_LINES)

    def _report(self, operation: Operation) -> DatabaseReport | None:
        """Ask the candidate about its database; None if it is too old to answer."""
        if not self.script:
            return None
        argv = (self.script, "migrations", "--database", "--json")
        answer = self.engine.ask(operation.candidate, operation.name, argv)
        if answer.code == USAGE:
            return None
        return read_report(self._required(operation, answer, "read the database"))

    def remains(self) -> Remains:
        """Return what past operations left here, which a rollback can use."""
        kept = self.engine.variables.kept()
        gone = self._named(GONE)
        dropped = {
            one.name
            for one in self.journal.operations()
            if (name := _own_name(one)) in gone
            # One whose variables are not kept any more may have used it.
            and (one.name not in kept or f"_{name}" in kept[one.name].get(DATABASE, ""))
        }
        return Remains(kept, dropped)

    def _named(self, ending: str) -> set[str]:
        return {file.stem for file in self.folder.glob(f"*{ending}")}

    def clean(self, branches: Collection[str]) -> None:
        """Drop the databases of deleted branches, except one that is in use."""
        ended = successes(self.journal.operations())
        if not self.folder.exists() or not ended:
            return
        live = ended[-1]
        used = self.engine.variables.read(live.name).get(DATABASE, "")
        made = self._named(OWN)
        in_use = {name for name in made if f"_{name}" in used}
        # The database in use becomes the environment's, unless it is a branch's own.
        if not in_use:
            found = NEW.search(used)
            (self.folder / "shared").write_text(found[1] if found else "")
        own = {database_name(branch_tag(one)) for one in branches}
        for name in made - own - in_use:
            # One that is interrupted is repeated.
            (self.folder / f"{name}{GONE}").touch()
            self._drop(live, name)
            (self.folder / f"{name}{OWN}").unlink()

    def _drop(self, live: Operation, name: str) -> None:
        """Drop a branch's own database.

        What is live may itself be on another one.
        """
        self.engine.variables.forget(DROP)
        self.engine.variables.keep(DROP, "")
        try:
            self._run(replace(live, name=DROP), "drop", name)
        finally:
            self.engine.remove(DROP)
            self.engine.variables.forget(DROP)

    def _use_chosen(self, operation: Operation) -> None:
        if not self.script or operation.candidate.variables_of:
            return
        if name := self._chosen(operation):
            own = self._run(operation, "make", name)
            self.engine.variables.add(operation.name, DATABASE, own)
            self.say(f"database: {name}")

    def _chosen(self, operation: Operation) -> str:
        """Return the name of the database; empty for that of the variables."""
        own = _own_name(operation)
        if self.choice == "own":
            self.folder.mkdir(exist_ok=True)
            (self.folder / f"{own}{OWN}").touch()
            (self.folder / f"{own}{GONE}").unlink(missing_ok=True)
        if self.choice == "new":
            self.folder.mkdir(exist_ok=True)
            return f"new_{operation.name[:6]}"
        if (self.folder / f"{own}{OWN}").exists():
            return own
        shared = self.folder / "shared"
        return shared.read_text() if shared.exists() else ""

    def _run(self, operation: Operation, action: str, name: str) -> str:
        argv = ("python", "-c", SCRIPT.read_text(encoding="utf-8"), action, name)
        answer = self.engine.ask(operation.candidate, operation.name, argv)
        return self._required(operation, answer, f"{action} the database {name}")

    def _downgrade(
        self, operation: Operation, report: DatabaseReport, live: Instance | None
    ) -> None:
        """Let what is live take back the migrations that only it contains."""
        operations = self.journal.operations()
        serving = find_operation(operations, live)
        if live and not serving:
            accept = f"uv run trunkline accept {self.environment.name}"
            raise Refusal(
                rule="downgrade",
                found=f"{live.commit[:12]} is live, which this journal does not have",
                expected="a deploy whose image can take its migrations back",
                fix=f"{accept}  (then the same command)",
            )
        # Nothing is live after a restart of the machine.
        served = serving or next(reversed(successes(operations)), None)
        if served is None:
            found = f"nothing that was put on here, to take back {report.listed}"
            raise self._no_downgrade(operation, found)
        last = served.candidate
        try:
            self.engine.pull(last)
        except FailedError as error:
            found = f"{last.ref}, which served last, {error}"
            raise self._no_downgrade(operation, found) from error
        argv = (self.script, "migrate", "--down", str(len(report.unknown)))
        answer = self.engine.ask(last, operation.name, argv)
        self._required(operation, answer, f"downgrade the database by {last.ref}")

    def _no_downgrade(self, operation: Operation, found: str) -> Refusal:
        ref, to = operation.candidate.ref, self.environment.name
        return Refusal(
            rule="downgrade",
            found=found,
            expected="the commit whose migrations the database has",
            fix=f"uv run trunkline deploy {quote(ref)} --to {to} --own-database",
        )

    def _required(
        self, operation: Operation, answer: Completed, what: str, most: int = FEW_LINES
    ) -> str:
        if answer.ok:
            return answer.text
        said = answer.complaint
        last = self.engine.variables.last_lines(operation.name, said, most=most)
        raise FailedError(f"could not {what}: {last}")


def _own_name(operation: Operation) -> str:
    """Return the name of the own database that the operation's branch would have."""
    return database_name(branch_tag(operation.candidate.ref))


def database_name(tag: str) -> str:
    """Derive a short, unique database name from a branch's image tag."""
    digest = hashlib.sha256(tag.encode()).hexdigest()[:6]
    return f"{tag[:20].strip('-').replace('-', '_')}_{digest}"
