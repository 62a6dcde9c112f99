"""The tool as a dependency of a service: which words name its place and version. Pure.

The tool lies in the template's repository, so a service needs it at the version of the
template that the service was made from.
"""

import re

from trunkline.addresses import canonical_url

PLACE = "packages/trunkline"
LOCKED_SOURCE = f'source = {{ editable = "{PLACE}" }}'
METADATA = "\n[package.metadata]\n"
_RELEASE = re.compile(r"v\d+\.\d+\.\d+(-[a-z]+\.\d+)?")


def dependency_words(source: str, commit: str, commit_id: str) -> dict[str, str]:
    """Fill in what pyproject.toml and uv.lock say about the tool.

    `commit` is the version as `git describe` names it; unless that is a release, the
    dependency is pinned to the full `commit_id`.
    """
    kind, pin = ("tag", commit) if _RELEASE.fullmatch(commit) else ("rev", commit_id)
    return {
        "git": canonical_url(source),
        "pin": f'{kind} = "{pin}"',
        "query": f"{kind}={pin}",
        "commit": commit_id,
    }


def as_git_dependency(block: str) -> str:
    """Write the tool's own block of uv.lock as uv writes a dependency from git."""
    source = (
        'source = { git = "TRUNKLINE_GIT?subdirectory=packages%2Ftrunkline'
        '&TRUNKLINE_QUERY#TRUNKLINE_COMMIT" }'
    )
    return block.replace(LOCKED_SOURCE, source).partition(METADATA)[0]
