"""The rules about the version that is to be released. Pure."""

from trunkline.commits.conventional import LISTED
from trunkline.errors import Refusal
from trunkline.project import HOTFIX_PREFIX
from trunkline.releases.state import State, TagState
from trunkline.versions import Version


def drop(state: State, tag: TagState) -> str:
    """Return the command that deletes a tag wherever it is."""
    there = f"git push --no-verify {state.remote} :refs/tags/{tag.name}"
    commands = [there] * bool(tag.remote) + [f"git tag -d {tag.name}"] * bool(tag.local)
    return " && ".join(commands)


def no_stray_tag(state: State) -> Refusal | None:
    tag = state.stray_tag
    if tag is None:
        return None
    return Refusal(
        rule="stray-tag",
        found=f"tag {tag.name} after {state.current_tag.name}, of no release",
        expected="the tags of releases only; a changelog would begin at this one",
        fix=drop(state, tag),
    )


def major_zero(state: State) -> Refusal | None:
    version = state.coming.version if state.coming else None
    if not state.keeps_major_zero or not version or version.major == 0:
        return None
    return Refusal(
        rule="major-version-zero",
        found=f"major_version_zero = true and next version {version}",
        expected="no such key from 1.0.0 on: it hides breaking changes",
        fix="sed -i.bak '/^major_version_zero/d' pyproject.toml && rm *.toml.bak"
        " && git commit -m 'chore: leave major version zero' pyproject.toml",
    )


def well_formed_tag(state: State) -> Refusal | None:
    if state.coming is None:
        return None
    version = state.coming.version
    if version and (version.stable or _counted(version.prerelease)):
        return None
    return Refusal(
        rule="tag-format",
        found=f"tag {state.coming.tag.name}",
        expected="vX.Y.Z or vX.Y.Z-alpha.N, where alpha.10 follows alpha.9",
        fix="uv run cz bump --version-scheme semver2",
    )


def _counted(prerelease: tuple[str, ...]) -> bool:
    match prerelease:
        case (phase, number):
            return phase.isalpha() and number.isdigit()
    return False


def greater_version(state: State) -> Refusal | None:
    version = state.coming.version if state.coming else None
    if version is None or version > state.current:
        return None
    return Refusal(
        rule="greater",
        found=f"next version {version} after {state.current}",
        expected=f"a version greater than {state.current}",
        fix="uv run cz bump --get-next",
    )


def new_tag(state: State) -> Refusal | None:
    tag = state.coming.tag if state.coming else None
    if tag is None or not (tag.local or tag.remote):
        return None
    if tag.remote:
        branch, version = state.here.branch, state.coming and state.coming.version
        fix = f"git pull --rebase {state.remote} {branch} --tags"
        if branch == state.trunk and not state.there.behind:
            # Trunk and hotfix both came to the next patch, and the hotfix was first;
            # any other tag was pushed without its branch, and CI has refused it.
            fix = drop(state, tag)
            if version and version.patch and version.stable:
                fix = f"uv run trunkline backport {tag.name}"
        return Refusal(
            rule="new-tag",
            found=f"{tag.name} is already on {state.remote}",
            expected="a version that nobody has released",
            fix=fix,
        )
    return Refusal(
        rule="new-tag",
        found=f"{tag.name} exists here and not on {state.remote}",
        expected="no such tag; `cz bump` creates it",
        fix=drop(state, tag),
    )


def hotfix_named_after_version(state: State) -> Refusal | None:
    version = state.coming.version if state.coming else None
    if state.hotfix is None or version is None:
        return None
    current = state.current
    patch = Version(current.major, current.minor, current.patch + 1)
    if state.hotfix == version == patch:
        return None
    # A feature on the branch makes commitizen raise more than the patch number.
    return Refusal(
        rule="hotfix",
        found=f"branch {state.here.branch} and next version {version}",
        expected=f"branch {HOTFIX_PREFIX}{patch.tag} and next version {patch}",
        fix="uv run cz bump --increment PATCH"
        if state.hotfix == patch
        else f"git branch -m {HOTFIX_PREFIX}{patch.tag}",
    )


def not_empty(state: State) -> Refusal | None:
    if state.coming is None or not state.coming.section_empty:
        return None
    return Refusal(
        rule="changelog",
        found=f"an empty changelog section for {state.coming.tag.name}",
        expected=f"at least one entry, from one of {', '.join(LISTED)}",
        fix=f"git log --oneline {state.current_tag.name}..HEAD",
    )
