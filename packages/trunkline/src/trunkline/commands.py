"""Every command of the tool, as data: adding one is adding one entry.

The function that does the work is named by text, so that `trunkline --help` and
`trunkline guard` import nothing that they do not need.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Argument:
    """What `argparse.ArgumentParser.add_argument` takes."""

    names: tuple[str, ...]
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Command:
    """One command: `target` is "module:function", called with the arguments by name.

    With `passes_on`, arguments that are not declared here reach the function as
    `others`, a tuple of strings.
    """

    name: str
    summary: str
    target: str
    arguments: tuple[Argument, ...] = ()
    passes_on: bool = False


def argument(*names: str, **options: Any) -> Argument:  # noqa: ANN401 - argparse's own
    """Declare one argument with the words of `add_argument`."""
    return Argument(names, options)


def switch(name: str, meaning: str) -> Argument:
    """Declare an option that is off unless it is given."""
    return argument(name, action="store_true", help=meaning)


EVENTS = (
    *("push", "pull_request", "merge_group"),
    *("delete", "schedule", "workflow_dispatch"),
)
DRY_RUN = switch("--dry-run", "show the plan and change nothing")
YES = switch("--yes", "do not ask for confirmation")
JSON = switch("--json", "print JSON for a machine to read")

COMMANDS = (
    Command(
        "check",
        "every gate in CI's order, up to the first that fails",
        "trunkline.gates.check:check",
        (
            switch("--fix", "mend first what the gates can mend themselves"),
            argument("--only", action="append", metavar="NAME", help="this gate only"),
            argument("--when", choices=("commit", "push", "ci"), help="those of then"),
            argument("--job", choices=("lint", "test", "audit"), help="those of CI's"),
            switch("--strict", "a gate that was not checked has failed (CI)"),
            argument("--list", dest="listing", action="store_true", help="run none"),
            JSON,
        ),
    ),
    Command(
        "audit",
        "known vulnerabilities of everything in uv.lock",
        "trunkline.gates.audit:audit",
        (
            argument("--ignore-vuln", action="append", metavar="ID", help="accept it"),
            argument("--osv-url", metavar="URL", help="ask this service, not PyPI"),
        ),
    ),
    Command(
        "lint-ci",
        "linters of workflows, actions, Dockerfiles and shell scripts",
        "trunkline.pipeline.lint:lint_ci",
        (
            argument("--only", action="append", metavar="NAME", help="this one only"),
            argument("--list", dest="listing", action="store_true", help="run none"),
        ),
    ),
    Command(
        "flags",
        "feature flags: value, owner, expiry and uses in code",
        "trunkline.gates.flags:flags",
        (
            switch("--check", "fail on an expired, undeclared or unused flag"),
            argument("--today", metavar="DATE", help="judge as of another day"),
            JSON,
        ),
    ),
    Command(
        "guard",
        "refuse an unsafe release; the pre-bump hook of `cz bump`",
        "trunkline.releases.guard:guard",
        (argument("--tag", metavar="vX.Y.Z", help="check a tag that was pushed (CI)"),),
    ),
    Command(
        "release",
        "check, `cz bump`, and push branch and tag in one atomic push",
        "trunkline.releases.release:release",
        (DRY_RUN, YES, switch("--github-output", "tell a workflow the tag")),
        passes_on=True,
    ),
    Command(
        "backport",
        "bring a hotfix's commits and changelog section to the trunk",
        "trunkline.releases.backport:backport",
        (
            argument("tag", nargs="?", metavar="vX.Y.Z", help="the hotfix's release"),
            argument(
                "--continue",
                dest="go_on",
                action="store_true",
                help="go on when a conflict is mended, or after a crash",
            ),
            switch("--abort", "go back to where it began"),
            DRY_RUN,
            JSON,
        ),
    ),
    Command(
        "push-check",
        "refuse a push of unsafe version tags; git's pre-push hook calls it",
        "trunkline.releases.pushcheck:push_check",
        (
            argument("remote", nargs="?", default="origin", help="name of the remote"),
            argument("url", nargs="?", default="", help="its address; git gives it"),
        ),
    ),
    Command(
        "notes",
        "release notes of a version; with --bundle, what a language model needs",
        "trunkline.notes.command:show_notes",
        (
            argument(
                "version",
                nargs="?",
                metavar="vX.Y.Z",
                help="default: the current version",
            ),
            switch("--unreleased", "what `cz bump` would write now"),
            argument(
                "--bundle",
                metavar="DIR",
                help="write commits, diff and prompts into this new folder",
            ),
            JSON,
        ),
    ),
    Command(
        "ci",
        "run on this machine what an event would start on GitHub",
        "trunkline.pipeline.ci:ci",
        (
            argument("--event", choices=EVENTS, default="push", help="default: push"),
            argument("--ref", metavar="REF", help="branch or tag; default: HEAD's"),
            argument("--base", metavar="BRANCH", help="where a pull request goes"),
            argument("--action", default="opened", help="what became of it"),
            argument("--workflow", metavar="FILE", help="this one only"),
            argument("--job", action="append", metavar="ID", help="with what it needs"),
            argument(
                "--input",
                action="append",
                dest="inputs",
                metavar="NAME=VALUE",
                help="an input of a manual run",
            ),
            argument(
                "--var", action="append", metavar="NAME=VALUE", help="of the repository"
            ),
            argument(
                "--secret",
                action="append",
                metavar="NAME",
                help="of the repository, from the variable of that name",
            ),
            argument(
                "--skip",
                action="append",
                metavar="OWNER/REPO",
                help="an action to skip",
            ),
            argument("--event-file", metavar="FILE", help="more of the event, in JSON"),
            argument("--list", dest="listing", action="store_true", help="run none"),
            DRY_RUN,
            switch("--keep", "keep the folder with the clones"),
        ),
    ),
    Command(
        "github-release",
        "a version's release on GitHub, from its notes",
        "trunkline.pipeline.githubrelease:github_release",
        (
            argument(
                "version",
                nargs="?",
                metavar="vX.Y.Z",
                help="default: the current version",
            ),
            DRY_RUN,
        ),
    ),
    Command(
        "commits",
        "check commit messages and a pull request's title",
        "trunkline.commits.messages:check_commits",
        (
            argument(
                "--range",
                dest="revisions",
                metavar="A..B",
                help="commits of B that A does not contain; "
                "default, if nothing else is asked for: those that the trunk lacks",
            ),
            argument("--title-file", metavar="FILE", help="file with a title"),
            argument("--title-env", metavar="NAME", help="variable with a title"),
            argument(
                "--message-file",
                metavar="FILE",
                help="a commit message as git hands it to its commit-msg hook",
            ),
            JSON,
        ),
    ),
    Command(
        "publish",
        "build the commit's image once, test it, push it, then move its tags",
        "trunkline.images.publish:publish",
        (
            argument("ref", nargs="?", metavar="REF", help="default: HEAD's branch"),
            DRY_RUN,
            JSON,
            switch(
                "--no-push", "build and test only; of any commit, without a registry"
            ),
            switch("--github-output", "hand the result to the workflow's next steps"),
        ),
    ),
    Command(
        "tags",
        "which image tags a ref gets, and why",
        "trunkline.images.tagging:tags",
        (
            argument("ref", nargs="?", metavar="REF", help="default: HEAD's branch"),
            JSON,
            switch("--github-output", "hand them to the next steps of a workflow"),
        ),
    ),
    Command(
        "prune",
        "remove the images of branches that are gone",
        "trunkline.images.pruning:prune",
        (
            argument(
                "--keep",
                action="append",
                metavar="TAG",
                help="leave this tag; a pattern such as 'demo-*' is one, too",
            ),
            DRY_RUN,
            YES,
            JSON,
        ),
    ),
    Command(
        "packages",
        "micropackages: from the work tree (dev) or a published tag (prod)",
        "trunkline.workspace.packages:packages",
        (
            argument("action", nargs="?", choices=("list", "use"), default="list"),
            argument("mode", nargs="?", metavar="dev|prod", help="with `use`"),
            argument("names", nargs="*", metavar="NAME[@X.Y.Z]", help="default: all"),
            DRY_RUN,
            JSON,
        ),
        passes_on=True,
    ),
    Command(
        "template",
        "make a service of the template, and bring it the template's later versions",
        "trunkline.template.command:template",
        (
            argument("action", choices=("new", "update", "adopt")),
            argument("place", nargs="?", metavar="FOLDER", help="with `new`"),
            argument("--from", dest="source", metavar="URL", help="of the template"),
            argument("--version", metavar="REF", help="default: the highest release"),
            argument("--package", metavar="NAME", help="such as acme_api"),
            argument("--title", metavar="TEXT", help="such as 'Acme API'"),
            argument(
                "--without",
                action="append",
                metavar="PART",
                help="leave an optional part out",
            ),
            argument(
                "--diff",
                action="store_true",
                help="with `update` and `adopt`: show what would change",
            ),
        ),
    ),
)
