"""The rules for a version tag that is pushed. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from trunkline.errors import Refusal
from trunkline.versions import Version


@dataclass(frozen=True, slots=True)
class TagFacts:
    """One version tag and the commit that it points at."""

    name: str
    # Kind of the object that the ref points at: "commit" for a lightweight tag.
    kind: str
    # The name inside an annotated tag.
    own_name: str
    message: str
    wanted_message: str
    commit: str
    made_by_bump: bool
    # `[project] version` at the commit, None if it cannot be read.
    project_version: Version | None
    section_empty: bool
    # Branches that a release may be on, and whether one of them contains the commit.
    branches: tuple[str, ...]
    on_branch: bool


def tag_refusals(facts: TagFacts) -> Iterator[Refusal]:
    """Yield everything that is wrong with a tag."""
    version = Version.from_tag(facts.name)
    drop = f"git tag -d {facts.name}"
    if version is None:
        yield Refusal(
            rule="tag-format",
            found=f"tag {facts.name}",
            expected="vX.Y.Z or vX.Y.Z-alpha.N",
            fix=drop,
        )
        return
    if facts.kind != "tag":
        yield Refusal(
            rule="hand-made-tag",
            found=f"{facts.name} is not annotated",
            expected="the annotated tag that `cz bump` creates",
            fix=drop,
        )
    elif (facts.own_name, facts.message) != (facts.name, facts.wanted_message):
        yield Refusal(
            rule="hand-made-tag",
            found=f"a tag object named {facts.own_name} "
            f"with the message {facts.message[:60]!r}",
            expected=f"the name {facts.name} and the message {facts.wanted_message!r}",
            fix=drop,
        )
    yield from _commit_refusals(facts, version, drop)


def _commit_refusals(facts: TagFacts, version: Version, drop: str) -> Iterator[Refusal]:
    if facts.project_version != version:
        yield Refusal(
            rule="tag-version",
            found=f"version {facts.project_version} in pyproject.toml "
            f"at {facts.commit[:12]}",
            expected=f"version {version}, as tag {facts.name} says",
            fix=drop,
        )
    elif not facts.made_by_bump:
        yield Refusal(
            rule="hand-made-tag",
            found=f"{facts.name} is at {facts.commit[:12]}, which is not a bump",
            expected="the commit that `cz bump` creates",
            fix=drop,
        )
    elif facts.section_empty:
        yield Refusal(
            rule="changelog",
            found=f"no entry for {facts.name} in the changelog at {facts.commit[:12]}",
            expected="the changelog section that `cz bump` writes",
            fix=drop,
        )
    if not facts.on_branch:
        yield Refusal(
            rule="orphan-tag",
            found=f"{facts.name} is at {facts.commit[:12]}, not on the remote's "
            f"{' or '.join(facts.branches)} and would not be after this push",
            expected="branch and tag in one push",
            fix="uv run trunkline release",
        )


def moved(name: str, old: str, new: str) -> Refusal:
    """Refuse to move the tag of a released version."""
    return Refusal(
        rule="moved-tag",
        found=f"{name} is {old[:12]} on the remote and would become {new[:12]}",
        expected="no change to a released version; release the next one",
        fix=f"git tag -d {name} && git fetch --tags",
    )


def deleted(name: str) -> Refusal:
    """Refuse to delete the tag of a released version."""
    return Refusal(
        rule="deleted-tag",
        found=f"{name} would be deleted on the remote",
        expected="released versions to stay; release the next one",
        fix="uv run trunkline release",
    )
