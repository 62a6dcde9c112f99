"""The rules of the version that is to be released. Pure."""

from trunkline.errors import Refusal
from trunkline.project import HOTFIX_PREFIX
from trunkline.releases.state import State
from trunkline.versions import Version


def major_zero(state: State) -> Refusal | None:
    if not state.keeps_major_zero or not state.next or state.next.major == 0:
        return None
    return Refusal(
        rule="major-version-zero",
        found=f"major_version_zero = true and next version {state.next}",
        expected="the key gone from 1.0.0 on, or breaking changes stop counting",
        fix="sed -i.bak '/^major_version_zero/d' pyproject.toml && rm *.toml.bak"
        " && git commit -m 'chore: leave major version zero' pyproject.toml",
    )


def well_formed_tag(state: State) -> Refusal | None:
    if state.next_tag is None:
        return None
    version = state.next
    if version and (version.stable or _counted(version.prerelease)):
        return None
    return Refusal(
        rule="tag-format",
        found=f"tag {state.next_tag.name}",
        expected="vX.Y.Z or vX.Y.Z-alpha.N, in which alpha.10 follows alpha.9",
        fix="uv run cz bump --version-scheme semver2",
    )


def _counted(prerelease: tuple[str, ...]) -> bool:
    match prerelease:
        case (phase, number):
            return phase.isalpha() and number.isdigit()
    return False


def greater_version(state: State) -> Refusal | None:
    if state.next is None or state.next > state.current:
        return None
    return Refusal(
        rule="greater",
        found=f"next version {state.next} after {state.current}",
        expected=f"a version greater than {state.current}",
        fix="uv run cz bump --get-next",
    )


def new_tag(state: State) -> Refusal | None:
    tag = state.next_tag
    if tag is None or not (tag.local or tag.remote):
        return None
    if tag.remote:
        return Refusal(
            rule="new-tag",
            found=f"{tag.name} is on {state.remote} already",
            expected="a version that nobody has released",
            # Trunk and hotfix both wanted the next patch, and the hotfix was first.
            fix=f"uv run trunkline backport {tag.name}"
            if state.branch == state.trunk and not state.behind
            else f"git pull --rebase {state.remote} {state.branch}",
        )
    return Refusal(
        rule="new-tag",
        found=f"{tag.name} exists here and not on {state.remote}",
        expected="a tag that `cz bump` makes itself",
        fix=f"git tag -d {tag.name}",
    )


def hotfix_named_after_version(state: State) -> Refusal | None:
    named = state.hotfix
    if named is None or state.next is None:
        return None
    by_patch = Version(
        state.current.major, state.current.minor, state.current.patch + 1
    )
    if named == state.next == by_patch:
        return None
    # A feature on the branch makes commitizen raise more than the patch number.
    return Refusal(
        rule="hotfix",
        found=f"branch {state.branch} and next version {state.next}",
        expected=f"branch {HOTFIX_PREFIX}{by_patch.tag} and next version {by_patch}",
        fix="uv run cz bump --increment PATCH"
        if named == by_patch
        else f"git branch -m {HOTFIX_PREFIX}{by_patch.tag}",
    )


def something_to_tell(state: State) -> Refusal | None:
    if state.next_tag is None or not state.section_empty:
        return None
    return Refusal(
        rule="changelog",
        found=f"no entry in the changelog section of {state.next_tag.name}",
        expected="an entry at least, from a `feat`, `fix`, `refactor` or `perf`",
        fix=f"git log --oneline {state.current_tag.name}..HEAD",
    )
