"""What a release pushes, and what it says when the remote does not take it."""

import pytest

from githooks import install_hook, protect
from samples import Ran, Sample


def next_command(ran: Ran) -> str:
    """Return what the last refusal says to type."""
    return ran.err.rpartition("type next: ")[2].strip()


@pytest.mark.parametrize("in_ci", [True, False])
def test_a_protected_trunk_has_two_other_ways(released: Sample, in_ci: bool) -> None:
    released.commit("feat: more")
    protect(released.origin)
    before = released.picture(), released.remote_refs()
    env = {"GITHUB_ACTIONS": "true"} if in_ci else {}
    ran = released.trunkline("release", **env)
    assert ran.code == 1
    assert "changes must be made by a pull request" in ran.err
    assert "bypass" in ran.err
    assert "workflow *Release*" in ran.err
    way = "gh secret set RELEASE_TOKEN" if in_ci else "gh workflow run release.yml"
    assert next_command(ran).startswith(way)
    assert (released.picture(), released.remote_refs()) == before


def test_a_pre_push_hook_that_declines_is_named(released: Sample) -> None:
    released.commit("feat: more")
    install_hook(released.root / ".git", "pre-push", "exit 1")
    ran = released.trunkline("release")
    assert next_command(ran) == "uv run trunkline check --when push"


def test_git_settings_push_no_other_tag(released: Sample) -> None:
    released.commit("feat: more")
    released.git("config", "push.followTags", "true")
    released.git("tag", "-a", "junk", "-m", "junk")
    assert released.trunkline("release").code == 0
    assert "refs/tags/junk" not in released.remote_refs()
    assert "refs/tags/v1.2.0" in released.remote_refs()


def test_what_ci_refuses_is_not_pushed_then_refused(released: Sample) -> None:
    """Pushed, then refused: a hook of git makes the commit another one."""
    released.commit("feat: more")
    edit = 'sed -i.bak "1s/^/[main] /" "$1"'
    install_hook(released.root / ".git", "prepare-commit-msg", edit)
    before = released.picture(), released.remote_refs()
    ran = released.trunkline("release")
    assert (ran.code, "rule `hand-made-tag`" in ran.err) == (1, True), ran.all
    assert (released.picture(), released.remote_refs()) == before
    command = next_command(ran).replace("uv run ", "") + " --yes"
    assert released.run("sh", "-c", command).code == 0
    assert released.trunkline("guard", "--tag", "v1.2.0").code == 0


def test_a_changelog_elsewhere_is_not_pushed_then_refused(released: Sample) -> None:
    """Pushed, then refused: CI looked for it in the root only."""
    file = "docs/CHANGELOG.md"
    table = "[tool.commitizen]\n"
    text = released.read("pyproject.toml")
    text = text.replace(table, f'{table}changelog_file = "{file}"\n')
    changelog = released.read("CHANGELOG.md")
    released.git("rm", "-q", "CHANGELOG.md")
    released.commit("feat: more", {"pyproject.toml": text, file: changelog})
    assert released.trunkline("release").code == 0
    assert released.trunkline("guard", "--tag", "v1.2.0").code == 0
    assert "more" in released.trunkline("notes", "v1.2.0").out


def test_a_hook_that_edits_and_fails_leaves_no_half_a_refusal(released: Sample) -> None:
    """Half a refusal: a formatter edits the changelog and fails."""
    released.commit("feat: more")
    install_hook(released.root / ".git", "pre-commit", "echo >>CHANGELOG.md; exit 1")
    before = released.picture()
    ran = released.trunkline("release")
    assert released.picture() == before
    assert released.run(*next_command(ran).split()[2:], "--yes").code == 0


def test_a_remote_without_atomic_pushes_gets_the_branch_first(released: Sample) -> None:
    config = ("config", "--file", str(released.origin / "config"))
    released.git(*config, "receive.advertiseAtomic", "false")
    install_hook(released.root / ".git", "pre-push", 'trunkline push-check "$@"')
    released.commit("feat: more", {"more.txt": "more"})
    # The remote takes the branch and for once no tag.
    install_hook(released.origin, "update", "case $1 in refs/tags/*) exit 1;; esac")
    ran = released.trunkline("release")
    assert (ran.code, "v1.2.0 is undone" in ran.err) == (1, False), ran.all
    assert released.version == "1.2.0"
    (released.origin / "hooks/update").unlink()
    ran = released.trunkline("release")
    assert ran.code == 0, ran.all
    refs = released.remote_refs()
    assert refs["refs/tags/v1.2.0"] == refs["refs/heads/main"]


def test_a_remote_that_is_a_mirror_gets_branch_and_tag_alone(released: Sample) -> None:
    released.git("config", "remote.origin.mirror", "true")
    released.git("branch", "own")
    released.commit("feat: more", {"more.txt": "more"})
    ran = released.trunkline("release")
    assert ran.code == 0, ran.all
    names = set(released.remote_refs())
    assert {"refs/heads/main", "refs/tags/v1.2.0"} <= names
    assert "refs/heads/own" not in names
