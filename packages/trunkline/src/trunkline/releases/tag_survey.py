"""Gather the facts about a version tag that is being pushed or was pushed."""

from collections.abc import Mapping

from trunkline.errors import UsageError
from trunkline.git import Repository
from trunkline.process import ProcessError
from trunkline.project import HOTFIX_PREFIX, Project, head_project, project_at
from trunkline.releases.changelog import find_section
from trunkline.releases.commitizen import is_bump_subject
from trunkline.releases.rules.tag import TagFacts


class ReleaseBranches:
    """The branches of a remote that may hold a release, as a push leaves them."""

    def __init__(
        self, repository: Repository, remote: str, pushed: Mapping[str, str]
    ) -> None:
        """`pushed` maps full names of branches to the commits pushed to them."""
        self.repository = repository
        self.remote = remote
        self.pushed = pushed
        self.settings = head_project(repository).settings
        self._answer: Mapping[str, str] | None = None

    def names(self, tag: str) -> tuple[str, ...]:
        """Return the branches that this tag may be on."""
        return (self.settings.trunk, f"{HOTFIX_PREFIX}{tag}")

    def hold(self, tag: str, commit: str) -> bool:
        """Whether one of them has the commit, or will have it after the push.

        A push that is not atomic may lose the branch and keep the tag, so the remote is
        asked as late as possible, and a branch that it will reject does not count.
        """
        refs = [f"refs/heads/{name}" for name in self.names(tag)]
        there = self._there()
        return any(
            self._holds(there.get(ref), self.pushed.get(ref), commit) for ref in refs
        )

    def _there(self) -> Mapping[str, str]:
        if self._answer is None:
            patterns = (
                f"refs/heads/{self.settings.trunk}",
                f"refs/heads/{HOTFIX_PREFIX}v*",
            )
            self._answer = self.repository.remote_refs(
                self.remote, patterns, timeout=self.settings.timeout
            )
        return self._answer

    def _holds(self, tip: str | None, new: str | None, commit: str) -> bool:
        contains = self.repository.is_ancestor
        if tip and contains(commit, tip):
            return True
        fast_forward = tip is None or (new is not None and contains(tip, new))
        return bool(new) and fast_forward and contains(commit, str(new))


def tag_facts(
    repository: Repository, name: str, oid: str, *, branches: ReleaseBranches
) -> TagFacts:
    """Look at one tag; `oid` is the object that its ref points at.

    A lightweight tag points at the commit itself.
    """
    answer = repository.objects([oid, f"{oid}^{{commit}}"])
    ref, target = answer[oid], answer[f"{oid}^{{commit}}"]
    if ref is None or target is None:
        raise UsageError(f"{name} points at {oid[:12]}; expected a commit that is here")
    own_name, message = _words(ref.content) if ref.kind == "tag" else ("", "")
    commit = target.oid
    project = project_at(repository, commit)
    section = find_section(project.changelog, name)
    words = target.content.decode("utf-8", "replace").partition("\n\n")[2]
    subject = words.partition("\n")[0]
    return TagFacts(
        name=name,
        kind=ref.kind,
        own_name=own_name,
        message=message,
        wanted_message=str(project.commitizen.get("annotated_tag_message") or name),
        commit=commit,
        made_by_bump=is_bump_subject(
            subject, new=name[1:], settings=project.commitizen
        ),
        project_version=_version(project),
        section_empty=section is None or section.empty,
        branches=branches.names(name),
        on_branch=branches.hold(name, commit),
    )


def _words(content: bytes) -> tuple[str, str]:
    """Return the name inside an annotated tag, and its message without signature."""
    head, _, message = content.decode("utf-8", "replace").partition("\n\n")
    names = [line[4:] for line in head.splitlines() if line.startswith("tag ")]
    return (names or [""])[0], message.partition("\n-----BEGIN ")[0].strip()


def _version(project: Project) -> str | None:
    version = project.document.get("project", {}).get("version")
    return version if isinstance(version, str) else None


def fetch_pushed_tag(repository: Repository, remote: str, name: str) -> str:
    """Fetch a tag and the branches that may hold it; returns what its ref points at.

    No ref is created or moved. The remote is asked because a checkout in CI often has
    the tag without its annotation.
    """
    settings = head_project(repository).settings
    wanted = [f"refs/tags/{name}"]
    wanted += [
        f"refs/heads/{branch}" for branch in (settings.trunk, f"{HOTFIX_PREFIX}{name}")
    ]
    there = repository.remote_refs(remote, wanted, timeout=settings.timeout)
    refs = [ref for ref in wanted if ref in there]
    if wanted[0] not in refs:
        raise ProcessError(f"{remote} has no tag {name}; expected a pushed tag")
    repository.fetch(remote, refs, timeout=settings.timeout)
    return there[wanted[0]]
