"""Gather the facts about a version tag that is being pushed or was pushed."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from trunkline.errors import Refusal, UsageError
from trunkline.git import HEADS, TAGS, Repository
from trunkline.project import HOTFIX_PREFIX, head_project, project_at
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
        self.pushed = pushed
        self.settings = replace(head_project(repository).settings, remote=remote)

    def names(self, tag: str) -> tuple[str, ...]:
        """Return the branches that this tag may be on."""
        return (self.settings.trunk, f"{HOTFIX_PREFIX}{tag}")

    def hold(self, tag: str, commit: str) -> bool:
        """Whether one of them has the commit, or will have it after the push.

        A push that is not atomic may lose the branch and keep the tag, so a branch that
        the remote will reject does not count.
        """
        contains = self.repository.is_ancestor
        for name in self.names(tag):
            tip = self._tips.get(f"{HEADS}{name}")
            new = self.pushed.get(f"{HEADS}{name}")
            if tip and contains(commit, tip):
                return True
            if new and contains(commit, new) and (not tip or contains(tip, new)):
                return True
        return False

    def fetch(self, tag: str) -> str:
        """Fetch a tag and the branches that may hold it; returns what its ref names.

        The remote is asked because a checkout in CI often has the tag without its
        annotation.
        """
        wanted = [f"{TAGS}{tag}", *(f"{HEADS}{name}" for name in self.names(tag))]
        there = self.repository.remote_refs(self.settings, wanted)
        if wanted[0] not in there:
            raise Refusal(
                rule="pushed-tag",
                found=f"{self.settings.remote} has no tag {tag}",
                expected="a tag that was pushed with its branch",
                fix="git push --follow-tags  (on that branch)",
            )
        self.repository.fetch(self.settings, [ref for ref in wanted if ref in there])
        return there[wanted[0]]

    @cached_property
    def _tips(self) -> Mapping[str, str]:
        """The tips on the remote, which is asked once and as late as possible."""
        names = (f"{HEADS}{self.settings.trunk}", f"{HEADS}{HOTFIX_PREFIX}v*")
        return self.repository.remote_refs(self.settings, names)


def tag_facts(
    repository: Repository, name: str, oid: str, *, branches: ReleaseBranches
) -> TagFacts:
    """Look at one tag; `oid` is the object that its ref points at."""
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
        project_version=project.readable_version,
        section_empty=section is None or section.empty,
        branches=branches.names(name),
        on_branch=branches.hold(name, commit),
    )


def _words(content: bytes) -> tuple[str, str]:
    """Return the name inside an annotated tag, and its message without signature."""
    head, _, message = content.decode("utf-8", "replace").partition("\n\n")
    names = [line[4:] for line in head.splitlines() if line.startswith("tag ")]
    return (names or [""])[0], message.partition("\n-----BEGIN ")[0].strip()
