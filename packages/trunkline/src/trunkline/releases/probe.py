"""Find out, before a plain push, whether the remote takes a branch with its tag.

`git push --follow-tags` is not atomic: a remote that declines the branch keeps the tag,
and the version is lost. Only a push tells, because the rules are the remote's.
"""

from collections.abc import Iterator, Mapping

from trunkline.errors import Refusal
from trunkline.git import HEADS, TAGS, Repository
from trunkline.releases.clone import HOOKS_TIMEOUT
from trunkline.releases.journal import RELEASE, read_journal

# No remote can create it: a branch cannot be a folder of branches, too.
IMPOSSIBLE = "trunkline-probe"


def declined(
    repository: Repository, remote: str, refs: Mapping[str, str]
) -> Iterator[Refusal]:
    """Push all refs to the remote, with one that must fail, so that none arrives.

    `refs` maps names on the remote to objects here. Whatever a rule of the remote
    declines, it declines now. A release of this tool pushes atomically anyway.
    """
    branch = next((ref for ref in refs if ref.startswith(HEADS)), None)
    tag = next((ref for ref in refs if ref.startswith(TAGS)), None)
    if not branch or not tag or read_journal(repository.git_dir / RELEASE):
        return
    wanted = [f"{oid}:{ref}" for ref, oid in refs.items()]
    answer = repository.run(
        "push", "--atomic", "--porcelain", "--no-verify", "--no-follow-tags", remote,
        *wanted, f"{refs[branch]}:{branch}/{IMPOSSIBLE}", timeout=HOOKS_TIMEOUT,
    )  # fmt: skip
    bad = [it for it in answer.text.splitlines() if "declined" in it]
    if not (bad := [line for line in bad if IMPOSSIBLE not in line]):
        return
    version, name = tag.removeprefix(TAGS), branch.removeprefix(HEADS)
    said = [it[8:].strip() for it in answer.complaint.splitlines() if "remote: " in it]
    yield Refusal(
        rule="protected",
        found=f"{remote} declines {' and '.join(refs)}: {(said or bad)[0]}",
        expected=f"a right to push to {name}; others release by the workflow *Release*",
        fix=f"git tag -d {version} && git reset --keep HEAD~1 && "
        f"gh workflow run release.yml --ref {name}",
    )
