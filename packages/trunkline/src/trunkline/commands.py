"""The list of commands, and how to import the function of one."""

from collections.abc import Callable, Mapping

# Printed in this order; a summary is a phrase that stands alone.
GROUPS: Mapping[str, Mapping[str, str]] = {
    "Develop": {
        "check": "run CI's quality gates in order and stop at the first failure",
        "flags": "list feature flags with value, owner, expiry and uses",
        "audit": "look up known vulnerabilities of everything in uv.lock",
        "packages": "use micropackages from the working tree or from their tags",
    },
    "Release": {
        "release": "bump the version and push branch and tag in one atomic push",
        "backport": "cherry-pick a hotfix and its changelog section to the trunk",
        "notes": "print release notes, or collect the input for writing them",
    },
    "Images": {
        "tags": "list the image tags of a branch or release and explain each",
        "publish": "build, test and push a commit's image, then move its tags",
        "prune": "delete the images of branches that are gone",
    },
    "Template": {
        "template": "generate a service, or bring it the template's later versions",
    },
    "Called by git hooks, commitizen and CI": {
        "commits": "check commit messages and the title of a pull request",
        "guard": "refuse an unsafe release (the pre-bump hook of `cz bump`)",
        "push-check": "refuse to push an unsafe version tag (git's pre-push hook)",
        "github-release": "create or correct a version's release on GitHub",
    },
}
COMMANDS = frozenset(name for group in GROUPS.values() for name in group)


def load(name: str) -> Callable[..., int]:
    """Import the function of one command and nothing that only others need."""
    # ruff: noqa: PLC0415, PLR0911, PLR0912
    match name:
        case "check":
            from trunkline.gates.check import check

            return check
        case "flags":
            from trunkline.gates.flags import flags

            return flags
        case "audit":
            from trunkline.gates.audit import audit

            return audit
        case "packages":
            from trunkline.workspace.packages import packages

            return packages
        case "release":
            from trunkline.releases.release import release

            return release
        case "backport":
            from trunkline.backport.command import backport

            return backport
        case "notes":
            from trunkline.notes.command import show_notes

            return show_notes
        case "tags":
            from trunkline.images.list_tags import tags

            return tags
        case "publish":
            from trunkline.images.publish import publish

            return publish
        case "prune":
            from trunkline.images.prune import prune

            return prune
        case "template":
            from trunkline.template.command import template

            return template
        case "commits":
            from trunkline.commits.messages import check_commits

            return check_commits
        case "guard":
            from trunkline.releases.guard import guard

            return guard
        case "push-check":
            from trunkline.releases.push_check import push_check

            return push_check
        case "github-release":
            from trunkline.notes.github_release import github_release

            return github_release
    raise LookupError(name)
