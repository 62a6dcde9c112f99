"""Version tags on their way out: `trunkline push-check` and `guard --tag`."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from trunkline.errors import Refusal
from trunkline.options import command, option
from trunkline.versions import looks_like_version_tag

TAGS = "refs/tags/"
HEADS = "refs/heads/"


@dataclass(frozen=True, slots=True)
class Update:
    """One line of what git gives a pre-push hook."""

    local_ref: str
    local: str
    remote_ref: str
    remote: str

    @property
    def deletes(self) -> bool:
        """Whether the ref is to be removed from the remote."""
        return not self.local.strip("0")

    @property
    def creates(self) -> bool:
        """Whether the remote does not have the ref yet."""
        return not self.remote.strip("0")

    @property
    def version_tag(self) -> str | None:
        """The tag's name if it is a version's or looks like one."""
        name = self.remote_ref.removeprefix(TAGS)
        like = looks_like_version_tag(name)
        return name if self.remote_ref.startswith(TAGS) and like else None


@command(
    option("remote", nargs="?", default="origin", help="name of the remote"),
    option("url", nargs="?", default="", help="address of the remote"),
)
def push_check(remote: str, url: str) -> int:
    """Refuse a push of version tags that would leave the remote without their release.

    Reads from standard input what git gives a pre-push hook. Almost every push has no
    version tag; such a push costs no process.
    """
    rows = (line.split() for line in sys.stdin)
    updates = [Update(*row) for row in rows if len(row) == len(Update.__slots__)]
    if not any(update.version_tag for update in updates):
        return 0
    from trunkline.output import refuse  # noqa: PLC0415 - see above

    found = list(update_refusals(updates, remote=remote or url))
    return refuse(found) if found else 0


def update_refusals(updates: list[Update], *, remote: str) -> Iterator[Refusal]:
    """Name what is wrong with the version tags of one push."""
    from trunkline.git import Repository  # noqa: PLC0415 - see push_check
    from trunkline.releases.tagrules import deleted, moved, tag_refusals  # noqa: PLC0415
    from trunkline.releases.tagsurvey import Branches, tag_facts  # noqa: PLC0415

    repository = Repository.find()
    pushed = {u.remote_ref: u.local for u in updates if u.remote_ref.startswith(HEADS)}
    branches = Branches(repository, remote, pushed)
    for update in updates:
        name = update.version_tag
        if name is None:
            continue
        if update.deletes:
            yield deleted(name)
        elif not update.creates:
            yield moved(name, update.remote, update.local)
        else:
            yield from tag_refusals(
                tag_facts(repository, name, update.local, branches=branches)
            )
