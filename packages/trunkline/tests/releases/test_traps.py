"""Every trap of commitizen 4.19 and of `git push` that was met, in one table.

Each row arranges the trap in a real repository, types the command that used to spring
it, and says what happens now. A refusal must leave files, index and refs as they were.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import pytest

from githooks import install_hook
from samples import Ran, Sample, identify

BUMP = ("cz", "bump", "--yes")
RELEASE = ("trunkline", "release", "--yes")
PUSH = ("git", "push", "--follow-tags", "origin", "HEAD")


@dataclass(frozen=True, slots=True)
class Trap:
    """`refused` names the rule; `undone` and `done` a text that is printed."""

    name: str
    arrange: Callable[[Sample], object]
    command: tuple[str, ...]
    outcome: Literal["refused", "undone", "done"]
    says: str
    version: str = ""


def commits(*messages: str) -> Callable[[Sample], None]:
    def arrange(sample: Sample) -> None:
        for message in messages:
            sample.commit(message)

    return arrange


def configure(line: str, *messages: str) -> Callable[[Sample], None]:
    """Add a line to commitizen's configuration."""

    def arrange(sample: Sample) -> None:
        text = sample.read("pyproject.toml")
        text = text.replace("[tool.commitizen]\n", f"[tool.commitizen]\n{line}\n")
        sample.commit("chore: configure", {"pyproject.toml": text})
        commits(*(messages or ("feat: more",)))(sample)

    return arrange


def after_feature(*command: str) -> Callable[[Sample], None]:
    """Commit a feature, then run a command that must succeed."""

    def arrange(sample: Sample) -> None:
        sample.commit("feat: more", {"feature.txt": "new"})
        ran = sample.run(*command)
        assert ran.code == 0, ran.all

    return arrange


def changed(path: str, text: str, *, stage: bool = False) -> Callable[[Sample], None]:
    def arrange(sample: Sample) -> None:
        sample.commit("feat: more")
        old = sample.read(path) if (sample.root / path).exists() else ""
        sample.write(path, old + text)
        if stage:
            sample.git("add", path)

    return arrange


def hook(name: str, body: str, *messages: str) -> Callable[[Sample], None]:
    def arrange(sample: Sample) -> None:
        install_hook(sample.root / ".git", name, body)
        for message in messages or ("feat: more",):
            sample.git("commit", "-q", "--allow-empty", "--no-verify", "-m", message)

    return arrange


def check_pushes(sample: Sample) -> None:
    install_hook(sample.root / ".git", "pre-push", 'exec trunkline push-check "$@"')


def behind(sample: Sample) -> None:
    other = sample.clone("other")
    other.commit("feat: theirs")
    other.push()


def diverged(sample: Sample) -> None:
    sample.commit("feat: more")
    behind(sample)


def shallow(sample: Sample) -> None:
    sample.commit("feat: more")
    sample.push()
    (sample.root / ".git/shallow").write_text(sample.git("rev-parse", "HEAD~1") + "\n")


def without_tags(sample: Sample) -> None:
    sample.commit("feat: more")
    for tag in sample.git("tag").splitlines():
        sample.git("tag", "-d", tag)


def half_made(sample: Sample) -> None:
    sample.commit("feat: more")
    ran = sample.cz("bump", "--yes")
    assert ran.code == 0, ran.all
    sample.git("tag", "-d", "v1.2.0")


def half_made_similar(sample: Sample) -> None:
    """commitizen takes v1.1.0 for v1.10.0 and repeats the whole changelog."""
    sample.commit("feat: more")
    ran = sample.cz("bump", "--yes", "1.10.0")
    assert ran.code == 0, ran.all
    sample.git("tag", "-d", "v1.10.0")
    sample.commit("feat: even more")


def lightweight_tags(sample: Sample) -> None:
    text = sample.read("pyproject.toml")
    text = text.replace("annotated_tag = true", "annotated_tag = false")
    sample.commit("feat: configure", {"pyproject.toml": text})


def half_made_and_more(sample: Sample) -> None:
    half_made(sample)
    sample.commit("feat: even more")


def rebased_bump(sample: Sample) -> None:
    sample.commit("feat: more", {"feature.txt": "new"})
    assert sample.cz("bump", "--yes").code == 0
    behind(sample)
    sample.git("pull", "-q", "--rebase", "origin", "main")


def bumped_while_behind(sample: Sample) -> None:
    check_pushes(sample)
    sample.commit("feat: more")
    assert sample.cz("bump", "--yes").code == 0
    behind(sample)


def alpha(sample: Sample) -> None:
    sample.commit("feat: more")
    sample.bump("--prerelease", "alpha")


def alpha_and_docs(sample: Sample) -> None:
    alpha(sample)
    sample.commit("docs: words")


def alpha_and_dirt(sample: Sample) -> None:
    alpha(sample)
    sample.write("uv.lock", sample.read("uv.lock") + "# mine\n")


def hotfix(branch: str, message: str = "fix: a crash") -> Callable[[Sample], None]:
    def arrange(sample: Sample) -> None:
        sample.commit("feat: more")
        sample.bump()
        sample.git("checkout", "-q", "-b", branch, "v1.1.0")
        sample.commit(message)

    return arrange


def hotfix_took_the_version(sample: Sample) -> None:
    other = sample.clone("other")
    other.git("checkout", "-q", "-b", "hotfix/v1.1.1", "v1.1.0")
    other.commit("fix: a crash")
    other.bump()
    sample.commit("fix: another crash")


def merging(sample: Sample) -> None:
    sample.git("checkout", "-q", "-b", "feat/x")
    sample.commit("feat: x", {"x.txt": "x"})
    sample.git("checkout", "-q", "main")
    sample.commit("feat: y", {"y.txt": "y"})
    sample.git("merge", "-q", "--no-commit", "--no-ff", "feat/x")


def other_tag_on_origin(sample: Sample) -> None:
    sample.commit("feat: more")
    other = sample.clone("other")
    other.git("tag", "-a", "v1.2.0", "-m", "v1.2.0")
    other.git("push", "-q", "origin", "v1.2.0")


def moved_tag_here(sample: Sample) -> None:
    sample.commit("feat: more")
    sample.git("tag", "-f", "-a", "v1.1.0", "-m", "v1.1.0")
    sample.commit("feat: even more")


def moved_submodule(sample: Sample) -> None:
    sample.git("init", "-q", "lib")
    library = Sample(sample.root / "lib", sample.origin, sample.env)
    identify(library, "dev")
    library.commit("feat: a")
    library.commit("feat: b")
    sample.git("submodule", "--quiet", "add", "./lib")
    sample.commit("feat: more")
    sample.git("-C", "lib", "checkout", "-q", "HEAD^")


def planned(sample: Sample) -> None:
    text = sample.read("CHANGELOG.md").replace(
        "## v1.1.0", "## [1.2.0] soon\n\n## v1.1.0"
    )
    sample.commit("feat: more", {"CHANGELOG.md": text})


def no_lock_file(sample: Sample) -> None:
    sample.git("rm", "-q", "uv.lock")
    sample.commit("feat: more")


def unreachable(sample: Sample) -> None:
    sample.commit("feat: more")
    sample.git("remote", "set-url", "origin", "../nowhere.git")


def interrupted_commit(sample: Sample) -> None:
    hook("commit-msg", "exit 1")(sample)
    assert sample.cz("bump", "--yes").code != 0


def tagged_by_hand(*options: str) -> Callable[[Sample], None]:
    def arrange(sample: Sample) -> None:
        check_pushes(sample)
        sample.commit("feat: more")
        sample.git("tag", *options)

    return arrange


def version_by_hand(sample: Sample) -> None:
    text = sample.read("pyproject.toml").replace("1.1.0", "1.1.7")
    sample.commit("feat: more", {"pyproject.toml": text})


def version_files(sample: Sample) -> None:
    sample.write("app.py", 'VERSION = "1.1.0"\nOTHER = "1.2.0"\n')
    sample.git("add", "app.py")
    configure('version_files = ["app.py:^VERSION"]')(sample)
    sample.write("mine.txt", "mine")


def signing(sample: Sample) -> None:
    sample.commit("feat: more")
    sample.git("config", "tag.gpgsign", "true")
    sample.git("config", "gpg.program", "false")


def stray_tag(name: str, *, remote: bool = False) -> Callable[[Sample], None]:
    def arrange(sample: Sample) -> None:
        sample.commit("feat: more")
        sample.git("tag", "-a", name, "-m", name)
        sample.commit("feat: even more")
        if remote:
            sample.git("push", "-q", "--no-verify", "origin", name)

    return arrange


def nobody(sample: Sample) -> None:
    sample.commit("feat: more")
    sample.git("config", "--unset", "user.email")
    sample.git("config", "user.useConfigOnly", "true")


def annotated_bump(sample: Sample) -> None:
    check_pushes(sample)
    sample.commit("feat: more")
    assert sample.cz("bump", "--yes").code == 0


def lightweight(sample: Sample) -> None:
    annotated_bump(sample)
    sample.git("tag", "-f", "v1.2.0", "v1.2.0^{commit}")


FORMAT = ("cz", "bump", "--yes", "--prerelease", "alpha", "--version-scheme")
ZERO = "major_version_zero = true"
FIRST_TRY_FAILS = "test -e .git/tried || { touch .git/tried; exit 1; }"

# In order of the list of traps: versions, lock file, alphas, hotfixes, half-made
# releases, pushes. All start from v1.1.0 with nothing to release.
TRAPS = (
    Trap("1.0 with major_version_zero", configure(ZERO), BUMP, "refused", "major-"),
    Trap("downgrade", commits("feat: a"), (*BUMP, "1.0.5"), "refused", "greater"),
    Trap(
        "words in a body",
        commits("docs: a\n\nwords\nfix: b"),
        RELEASE,
        "done",
        "nothing to release",
        "1.1.0",
    ),
    Trap(
        "breaking chore",
        commits("chore(deps)!: drop it"),
        RELEASE,
        "done",
        "BREAKING CHANGES\n\n- **deps**: drop it",
        "2.0.0",
    ),
    Trap("unlisted fix", commits("fix:nospace"), RELEASE, "done", "nothing to release"),
    Trap("`feat!` unmarked", commits("feat!: new"), BUMP, "done", "", "2.0.0"),
    Trap("version by hand", version_by_hand, RELEASE, "refused", "current-tag"),
    Trap("stale lock file", commits("fix: a"), BUMP, "done", "", "1.1.1"),
    Trap("no lock file", no_lock_file, RELEASE, "undone", "uv.lock"),
    Trap("other version files", version_files, BUMP, "refused", "clean"),
    Trap(
        "drifted version file",
        configure('version_files = ["CHANGELOG.md:^nothing"]'),
        (*RELEASE, "--check-consistency"),
        "undone",
        "CHANGELOG.md",
    ),
    Trap(
        "from a folder below",
        commits("fix: a"),
        ("sh", "-c", "mkdir .venv; cd .venv && trunkline release --yes"),
        "done",
        "released v1.1.1",
        "1.1.1",
    ),
    Trap(
        "semver tag", commits("feat: a"), (*FORMAT, "semver"), "refused", "tag-format"
    ),
    Trap(
        "pep440 tag", commits("feat: a"), (*FORMAT, "pep440"), "refused", "tag-format"
    ),
    Trap("alpha becomes stable", alpha, BUMP, "done", "", "1.2.0"),
    Trap(
        "empty alpha", alpha_and_docs, (*BUMP, "-pr", "alpha"), "refused", "changelog"
    ),
    Trap("alphas' sections are dropped", alpha_and_dirt, BUMP, "refused", "clean"),
    Trap("hotfix", hotfix("hotfix/v1.1.1"), BUMP, "done", "", "1.1.1"),
    Trap(
        "feature in a hotfix",
        hotfix("hotfix/v1.1.1", "feat: sneaked in"),
        BUMP,
        "refused",
        "hotfix",
    ),
    Trap(
        "feature named hotfix",
        hotfix("hotfix/v1.2.0", "feat: sneaked in"),
        BUMP,
        "refused",
        "hotfix",
    ),
    Trap("misnamed hotfix", hotfix("hotfix/v1.1.5"), BUMP, "refused", "hotfix"),
    Trap("hotfix took it", hotfix_took_the_version, BUMP, "refused", "new-tag"),
    Trap("changed file", changed("CHANGELOG.md", "mine\n"), BUMP, "refused", "clean"),
    Trap("changed lock", changed("uv.lock", "# mine\n"), BUMP, "refused", "clean"),
    Trap(
        "changed settings",
        changed("pyproject.toml", "# mine\n", stage=True),
        BUMP,
        "refused",
        "clean",
    ),
    Trap("staged file", changed("new.py", "new", stage=True), BUMP, "refused", "clean"),
    Trap("new file", changed("new.py", "new"), BUMP, "refused", "clean"),
    Trap(
        "moved submodule",
        moved_submodule,
        RELEASE,
        "refused",
        "clean`\n  found:     uncommitted: lib (a submodule)",
    ),
    Trap(
        "unwatched file",
        after_feature("git", "update-index", "--assume-unchanged", "uv.lock"),
        RELEASE,
        "refused",
        "clean`\n  found:     git is told",
    ),
    Trap(
        "detached",
        after_feature("git", "checkout", "-q", "--detach"),
        BUMP,
        "refused",
        "branch",
    ),
    Trap(
        "wrong branch",
        after_feature("git", "checkout", "-qb", "feat/x"),
        BUMP,
        "refused",
        "branch",
    ),
    Trap(
        "files only, on a branch",
        after_feature("git", "checkout", "-qb", "release/x"),
        (*BUMP, "--version-files-only"),
        "refused",
        "branch",
    ),
    Trap("behind", diverged, BUMP, "refused", "behind"),
    Trap("merging", merging, BUMP, "refused", "operation"),
    Trap(
        "git runs",
        after_feature("touch", ".git/index.lock"),
        RELEASE,
        "refused",
        "operation`\n  found:     a git command",
    ),
    Trap(
        "failing hook",
        configure('post_bump_hooks = ["false"]'),
        RELEASE,
        "undone",
        "hook",
    ),
    Trap(
        "commit refused",
        hook("commit-msg", "exit 1"),
        RELEASE,
        "undone",
        "as committed",
    ),
    Trap("bump after a failed one", interrupted_commit, RELEASE, "refused", "leftover"),
    Trap(
        "hook that formats",
        hook("pre-commit", FIRST_TRY_FAILS),
        (*RELEASE, "--retry"),
        "done",
        "released v1.2.0",
        "1.2.0",
    ),
    Trap("half-made, similar tag", half_made_similar, BUMP, "refused", "half-made"),
    Trap("half-made, ended", half_made, RELEASE, "done", "released v1.2.0", "1.2.0"),
    Trap("half-made below", half_made_and_more, RELEASE, "done", "released v1.2.0"),
    Trap("no identity", nobody, BUMP, "refused", "identity"),
    Trap("no signing key", signing, BUMP, "refused", "signing"),
    Trap(
        "lightweight tag",
        lightweight_tags,
        RELEASE,
        "done",
        "released v1.2.0",
        "1.2.0",
    ),
    Trap("rebased bump", rebased_bump, BUMP, "refused", "current-tag"),
    Trap("shallow", shallow, BUMP, "refused", "shallow"),
    Trap("no tags", without_tags, RELEASE, "refused", "current-tag"),
    Trap("tag on origin", other_tag_on_origin, BUMP, "refused", "new-tag"),
    Trap("tag here", after_feature("git", "tag", "v1.2.0"), BUMP, "refused", "new-tag"),
    Trap("tags differ", moved_tag_here, BUMP, "refused", "current-tag"),
    Trap("unreachable", unreachable, BUMP, "refused", "remote"),
    Trap("stray tag", stray_tag("v1.2"), RELEASE, "refused", "stray-tag"),
    Trap("old stray tag", stray_tag("v0.9.9"), BUMP, "refused", "stray-tag"),
    Trap(
        "stray tag there",
        stray_tag("v1.2", remote=True),
        RELEASE,
        "refused",
        "stray-tag",
    ),
    Trap("planned version", planned, RELEASE, "refused", "planned"),
    Trap("only docs", commits("docs: words"), RELEASE, "done", "nothing to release"),
    Trap("nothing new", commits(), RELEASE, "done", "nothing to release"),
    Trap("dry run", commits("feat: a"), (*BUMP, "--dry-run"), "done", "", "1.1.0"),
    Trap("plain push", annotated_bump, PUSH, "done", "v1.2.0", "1.2.0"),
    Trap(
        "push that loses its branch", bumped_while_behind, PUSH, "refused", "orphan-tag"
    ),
    Trap(
        "tag without branch",
        annotated_bump,
        ("git", "push", "origin", "v1.2.0"),
        "refused",
        "orphan-tag",
    ),
    Trap(
        "lightweight tag pushed",
        lightweight,
        ("git", "push", "origin", "HEAD", "v1.2.0"),
        "refused",
        "hand-made-tag",
    ),
    Trap(
        "junk tag",
        tagged_by_hand("-a", "v9.9.9", "-m", "v9.9.9"),
        PUSH,
        "refused",
        "tag-version",
    ),
    Trap(
        "other tag",
        tagged_by_hand("-a", "scratch", "-m", "mine"),
        PUSH,
        "done",
        "scratch",
    ),
    Trap(
        "tag moved",
        tagged_by_hand("-f", "v1.1.0"),
        ("git", "push", "-f", "origin", "v1.1.0"),
        "refused",
        "moved-tag",
    ),
    Trap(
        "tag deleted",
        tagged_by_hand("scratch"),
        ("git", "push", "origin", ":v1.1.0"),
        "refused",
        "deleted-tag",
    ),
)


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_a_trap_is_harmless(released: Sample, trap: Trap) -> None:
    trap.arrange(released)
    before = released.picture(), remote(released)
    program, *arguments = trap.command
    start = released.cz if program == "cz" else partial(released.run, program)
    ran = start(*arguments)
    if trap.outcome == "done":
        assert ran.code == 0, ran.all
        assert trap.says in ran.all
        assert trap.version in ("", released.version)
        return
    assert ran.code != 0, ran.all
    rule = f"rule `{trap.says}" if trap.outcome == "refused" else trap.says
    assert rule in ran.err, ran.all
    assert (released.picture(), remote(released)) == before
    if trap in FIRST:
        follow(released, trap.command, ran, before=())


# The first trap of each rule: what its refusal says to type is typed.
FIRST = list({t.says: t for t in reversed(TRAPS) if t.outcome == "refused"}.values())
# Some failures have no rule.
REFUSED = re.compile(
    r"(?:rule `([^`]+)`\n.*?)?type next: (.+?)(?:  \(.*?)?\n", re.DOTALL
)
# These show what there is to know; what to do about it is for a person to say.
LOOKS = ("git log ", "git ls-remote ", "git config --get")
# These take the place of the command that was refused; it need not be typed again.
INSTEAD = ("trunkline release", "cz bump")


def follow(
    sample: Sample, command: tuple[str, ...], ran: Ran, *, before: tuple[str, ...]
) -> None:
    """Type what a refusal says, then the command again; no rule refuses twice."""
    found = REFUSED.search(ran.err)
    if not found:
        # A push of a tag that is gone, and a look at a remote that does not answer.
        git = command[0] == "git" or command[-1].startswith("git ls-remote ")
        assert ran.code == 0 or git, ran.all
        return
    typed = found[2].replace("uv run ", "")
    rule = found[1] or typed
    assert rule not in before, ran.all
    for program in INSTEAD:
        typed = typed.replace(program, f"{program} --yes")
    typed = typed.replace("NAME", "dev").replace("ADDRESS", "dev@example.com")
    way_out = ("sh", "-c", typed)
    follow(sample, way_out, sample.run(*way_out), before=(*before, rule))
    if not typed.startswith(LOOKS + INSTEAD):
        follow(sample, command, sample.run(*command), before=(*before, rule))


def remote(sample: Sample) -> str:
    return sample.git("--git-dir", str(sample.origin), "for-each-ref")
