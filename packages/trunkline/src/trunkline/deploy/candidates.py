"""What a person names, as what is deployed: resolved once, when a deploy begins."""

from trunkline.deploy.environments import Environment
from trunkline.deploy.operation import Candidate
from trunkline.errors import Refusal, UsageError
from trunkline.git import HEADS, TAGS, Repository
from trunkline.versions import Version


def find_commit(
    repository: Repository, environment: Environment, ref: str
) -> Candidate:
    """Find the commit of a branch, tag or commit id in the repository."""
    tag = ref.removeprefix(TAGS)
    if environment.accepts == "releases" and not (
        Version.from_tag(tag) and repository.refs(f"{TAGS}{tag}")
    ):
        raise Refusal(
            rule="releases-only",
            found=f"`{ref}`, which is no tag of a version",
            expected=f"a release such as v1.2.0: {environment.name} accepts no other",
            fix="git tag --list 'v*'",
        )
    if environment.accepts == "releases":
        names = [f"{TAGS}{tag}"]
    else:
        names = [f"{HEADS}{ref}", f"refs/remotes/origin/{ref}", f"{TAGS}{ref}", ref]
    for name in names:
        found = repository.run(
            *("rev-parse", "--quiet", "--verify", "--end-of-options"),
            f"{name}^{{commit}}",
        )
        if found.ok:
            return Candidate(ref, found.text)
    raise UsageError(
        f"`{ref}` is no branch, tag or commit here\n"
        "  type next: git fetch --tags, then the same command"
    )
