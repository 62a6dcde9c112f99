"""The list of commands, and how to import the function of one."""

import importlib
from collections.abc import Callable, Mapping

# Printed in this order; a summary is a phrase that stands alone.
GROUPS: Mapping[str, Mapping[str, str]] = {
    "Develop": {
        "feature": "make a feature with table, endpoints and tests, or remove it",
        "check": "run CI's quality gates in order and stop at the first failure",
        "loop": "run the quick tests, again at each save (what `ptw .` calls)",
        "flags": "list feature flags with value, owner, expiry and uses",
        "audit": "check everything in uv.lock for known vulnerabilities",
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
    "Deploy": {
        "deploy": "deploy a branch or a release to an environment",
        "rollback": "return an environment to the last version that served well",
        "status": "print what each environment serves, and whether it is healthy",
        "accept": "record a version that somebody else deployed as the right one",
        "history": "list the deploys to an environment, with time and person",
        "reserve": "keep an environment for yourself, on the team's desk",
        "release-env": "end your reservation of an environment",
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
# The function of each command, which declares its options itself.
TARGETS: Mapping[str, str] = {
    "feature": "feature.command:feature",
    "check": "gates.check:check",
    "loop": "loop.command:loop",
    "flags": "gates.flags:flags",
    "audit": "gates.audit:audit",
    "packages": "workspace.packages:packages",
    "release": "releases.release:release",
    "backport": "backport.command:backport",
    "notes": "notes.command:show_notes",
    "tags": "images.list_tags:tags",
    "publish": "images.publish:publish",
    "prune": "images.prune:prune",
    "deploy": "deploy.command:deploy",
    "rollback": "deploy.command:rollback",
    "status": "deploy.command:status",
    "accept": "deploy.acceptance:accept",
    "history": "deploy.command:history",
    "reserve": "deploy.reservations:reserve",
    "release-env": "deploy.reservations:release_env",
    "template": "template.command:template",
    "commits": "commits.messages:check_commits",
    "guard": "releases.guard:guard",
    "push-check": "releases.push_check:push_check",
    "github-release": "notes.github_release:github_release",
}
SUMMARIES = {name: text for group in GROUPS.values() for name, text in group.items()}


def load(name: str) -> Callable[..., int]:
    """Import the function of one command and nothing that only others need."""
    module, _, function = TARGETS[name].partition(":")
    loaded: Callable[..., int] = getattr(
        importlib.import_module(f"trunkline.{module}"), function
    )
    return loaded
