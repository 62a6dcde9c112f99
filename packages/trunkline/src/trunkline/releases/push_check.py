"""`trunkline push-check`: git's pre-push hook for version tags."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from trunkline.errors import Refusal
from trunkline.git import HEADS, TAGS, Repository
from trunkline.options import command, option
from trunkline.output import refuse

# A tag that begins like this is a version tag or was meant to be one.
_VERSION_TAG = re.compile(rf"{TAGS}(v[0-9].*)")


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """One line of the standard input of a pre-push hook."""

    local_ref: str
    local: str
    remote_ref: str
    remote: str

    @property
    def deletes(self) -> bool:
        """Whether the push removes the ref from the remote."""
        return not self.local.strip("0")

    @property
    def creates(self) -> bool:
        """Whether the remote does not have the ref yet."""
        return not self.remote.strip("0")

    @property
    def version_tag(self) -> str | None:
        """The name of the tag if it is a version's or looks like one."""
        match = _VERSION_TAG.fullmatch(self.remote_ref)
        return match[1] if match else None


@command(
    option("remote", nargs="?", default="origin", help="name of the remote"),
    option("url", nargs="?", default="", help="address of the remote"),
)
def push_check(remote: str, url: str) -> int:
    """Refuse a push that would leave version tags on the remote without their release.

    Reads what git writes to the standard input of a pre-push hook. A push without
    version tags, as almost every one is, starts no process.
    """
    rows = (line.split() for line in sys.stdin)
    updates = [RefUpdate(*row) for row in rows if len(row) == len(RefUpdate.__slots__)]
    if not any(update.version_tag for update in updates):
        return 0
    found = list(update_refusals(updates, remote=remote or url))
    if not found:
        from trunkline.releases.probe import declined  # noqa: PLC0415 - as above

        sent = [u for u in updates if not u.deletes and u.remote != u.local]
        refs = {u.remote_ref: u.local for u in sent}
        found = list(declined(Repository.find(), remote or url, refs))
    return refuse(found) if found else 0


def update_refusals(updates: list[RefUpdate], *, remote: str) -> Iterator[Refusal]:
    """Yield what is wrong with the version tags of one push."""
    # The other pushes do not pay for these imports.
    from trunkline.releases.rules.tag import deleted, moved, tag_refusals  # noqa: PLC0415
    from trunkline.releases.tag_survey import ReleaseBranches, tag_facts  # noqa: PLC0415

    repository = Repository.find()
    pushed = {u.remote_ref: u.local for u in updates if u.remote_ref.startswith(HEADS)}
    branches = ReleaseBranches(repository, remote, pushed)
    for update in updates:
        name = update.version_tag
        if name is None:
            continue
        if update.deletes:
            yield deleted(name)
        elif not update.creates:
            yield moved(name, update.remote, update.local)
        else:
            facts = tag_facts(repository, name, update.local, branches=branches)
            yield from tag_refusals(facts)
