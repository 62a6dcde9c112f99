"""The rules about the version that is to be released. Pure."""

import re
from collections.abc import Iterator

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


def no_stray_tag(state: State) -> Iterator[Refusal]:
    if tag := state.stray_tag:
        yield Refusal(
            rule="stray-tag",
            found=f"tag {tag.name} after {state.current_tag.name}, of no release",
            expected="the tags of releases only; a changelog would begin at this one",
            fix=drop(state, tag),
        )


def version_number(state: State) -> Iterator[Refusal]:
    if state.coming is None:
        return
    version = state.coming.version
    if version and state.keeps_major_zero and version.major:
        yield Refusal(
            rule="major-version-zero",
            found=f"major_version_zero = true and next version {version}",
            expected="no such key from 1.0.0 on: it hides breaking changes",
            fix="sed -i.bak '/^major_version_zero/d' pyproject.toml && rm *.toml.bak"
            " && git commit -m 'chore: leave major version zero' pyproject.toml",
        )
    phase = ".".join(version.prerelease) if version else ""
    if not version or not re.fullmatch(r"(?:[a-zA-Z]+\.[0-9]+)?", phase):
        name = state.coming.tag.name
        numbers = [*re.findall(r"\d+", name.partition("+")[0]), "0", "0"][:3]
        short = re.fullmatch(r"v[\d.]+(?:\+.*)?", name)
        meant = ".".join(numbers) if short else "--version-scheme semver2"
        yield Refusal(
            rule="tag-format",
            found=f"tag {name}",
            expected="vX.Y.Z or vX.Y.Z-alpha.N, where alpha.10 follows alpha.9",
            fix=f"uv run cz bump {meant}",
        )
    if version and version <= state.current:
        yield Refusal(
            rule="greater",
            found=f"next version {version} after {state.current}",
            expected=f"a version greater than {state.current}",
            fix="uv run cz bump --get-next",
        )


def hotfix_named_after_version(state: State) -> Iterator[Refusal]:
    version, current = state.coming.version if state.coming else None, state.current
    patch = Version(current.major, current.minor, current.patch + 1)
    if state.hotfix and version and not state.hotfix == version == patch:
        # A feature on the branch makes commitizen raise more than the patch number.
        yield Refusal(
            rule="hotfix",
            found=f"branch {state.here.branch} and next version {version}",
            expected=f"branch {HOTFIX_PREFIX}{patch.tag} and next version {patch}",
            fix="uv run cz bump --increment PATCH"
            if state.hotfix == patch
            else f"git branch -m {HOTFIX_PREFIX}{patch.tag}",
        )


def new_tag(state: State) -> Iterator[Refusal]:
    tag = state.coming.tag if state.coming else None
    branch, version = state.here.branch, state.coming and state.coming.version
    if version and version <= state.current:
        return  # Whether somebody has released it makes no difference.
    if tag and tag.remote:
        fix = f"git pull --rebase {state.remote} {branch} --tags"
        if branch == state.trunk and not state.there.behind:
            # Trunk and hotfix both came to the next patch, and the hotfix was first;
            # any other tag was pushed without its branch, and CI has refused it.
            fix = drop(state, tag)
            if version and version.patch and version.stable:
                fix = f"uv run trunkline backport {tag.name}"
            if tag.reached and not state.stray_tag:  # HEAD has taken its bump back.
                fix = f"git log -p {tag.name}.. -- pyproject.toml  (and git revert it)"
        yield Refusal(
            rule="new-tag",
            found=f"{tag.name} is already on {state.remote}",
            expected="a version that nobody has released",
            fix=fix,
        )
    elif tag and tag.local:
        yield Refusal(
            rule="new-tag",
            found=f"{tag.name} exists here and not on {state.remote}",
            expected="no such tag; `cz bump` creates it",
            fix=drop(state, tag),
        )


def no_planned_version(state: State) -> Iterator[Refusal]:
    if state.planned and state.any_version_tag:
        version, file = state.planned
        yield Refusal(
            rule="planned",
            found=f"{version} above the releases in {file}, without a tag",
            expected="the heading `## Unreleased`; `cz bump` writes the version",
            fix=f"sed -i.bak 's/^## .*{version}.*/## Unreleased/' {file} && rm {file}."
            f"bak && git commit -m 'docs: name what is not released' {file}",
        )


def not_empty(state: State) -> Iterator[Refusal]:
    if state.coming and (not state.coming.section or state.coming.section.empty):
        yield Refusal(
            rule="changelog",
            found=f"an empty changelog section for {state.coming.tag.name}",
            expected=f"at least one entry, from one of {', '.join(LISTED)}",
            fix=f"git log --oneline {state.current_tag.name}..HEAD",
        )
