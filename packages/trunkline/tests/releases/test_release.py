import os
import re
import subprocess

import pytest

from samples import Sample


def test_it_pushes_branch_and_tag(sample: Sample) -> None:
    sample.commit("feat: log in")
    ran = sample.trunkline("release")
    assert ran.code == 0, ran.all
    refs = sample.remote_refs()
    assert refs["refs/tags/v0.1.0"] == refs["refs/heads/main"]
    assert sample.git("cat-file", "-t", "v0.1.0") == "tag"
    assert sample.git("status", "--porcelain") == ""


def test_a_second_run_has_nothing_to_release(released: Sample) -> None:
    before = released.picture(), released.remote_refs()
    ran = released.trunkline("release")
    assert (ran.code, "nothing to release: no commit since v1.1.0" in ran.out) == (
        0,
        True,
    )
    assert (released.picture(), released.remote_refs()) == before


def test_a_dry_run_shows_plan_section_and_images(released: Sample) -> None:
    released.commit("fix: a crash")
    before = released.picture(), released.remote_refs()
    ran = released.trunkline("release", "--dry-run")
    assert ran.code == 0, ran.all
    for text in ("v1.1.1", "my-app:1.1.1", "my-app:latest", "- a crash", "### Fix"):
        assert text in ran.out
    assert (released.picture(), released.remote_refs()) == before


def test_a_lost_race_puts_everything_back(released: Sample) -> None:
    released.commit("feat: log out")
    other = released.clone("other")
    other.commit("fix: first")
    # The other one pushes after the check and before the push.
    hook = released.root / ".git/hooks/pre-push"
    hook.write_text(f"#!/bin/sh\ncd {other.root} && git push -q origin main\n")
    hook.chmod(0o755)
    before = released.picture()
    ran = released.trunkline("release")
    assert ran.code == 1
    assert "refused by rule `race`" in ran.err
    assert released.picture() == before
    assert "refs/tags/v1.2.0" not in released.remote_refs()


def test_a_push_that_a_hook_declines_puts_everything_back(released: Sample) -> None:
    released.commit("feat: log out")
    hook = released.root / ".git/hooks/pre-push"
    hook.write_text("#!/bin/sh\necho red tests >&2; exit 1\n")
    hook.chmod(0o755)
    before = released.picture(), released.remote_refs()
    ran = released.trunkline("release")
    assert ran.code == 1
    assert "red tests" in ran.err
    assert (released.picture(), released.remote_refs()) == before


def test_options_go_to_commitizen(released: Sample) -> None:
    released.commit("feat: log out")
    ran = released.trunkline("release", "--prerelease", "alpha")
    assert ran.code == 0, ran.all
    assert "refs/tags/v1.2.0-alpha.0" in released.remote_refs()


def test_of_an_option_that_commitizen_refuses_only_the_reason_is_said(
    released: Sample,
) -> None:
    released.commit("feat: log out")
    ran = released.trunkline("release", "--prerelease", "gamma")
    assert ran.code == 1
    assert "invalid choice: 'gamma'" in ran.err
    assert "usage:" not in ran.err


def test_an_unpushed_bump_is_pushed_and_no_other_is_made(released: Sample) -> None:
    released.commit("feat: log out")
    assert released.cz("bump", "--yes").code == 0
    ran = released.trunkline("release")
    assert ran.code == 0, ran.all
    refs = released.remote_refs()
    assert refs["refs/tags/v1.2.0"] == refs["refs/heads/main"]


def test_a_bump_without_its_tag_is_finished(released: Sample) -> None:
    released.commit("feat: log out")
    assert released.cz("bump", "--yes").code == 0
    released.git("tag", "-d", "v1.2.0")
    ran = released.trunkline("release")
    assert ran.code == 0, ran.all
    refs = released.remote_refs()
    assert refs["refs/tags/v1.2.0"] == refs["refs/heads/main"]
    assert released.git("cat-file", "-t", "v1.2.0") == "tag"


def test_a_bump_that_lost_its_race_is_taken_back(released: Sample) -> None:
    released.commit("feat: log out")
    before = released.picture()
    assert released.cz("bump", "--yes").code == 0
    other = released.clone("other")
    other.commit("fix: first")
    other.push()
    ran = released.trunkline("release")
    assert (ran.code, "rule `race`" in ran.err) == (1, True)
    assert released.picture() == before


def test_a_push_that_landed_and_was_passed_is_no_lost_race(released: Sample) -> None:
    """The answer is lost, and before anyone asks the branch has moved on."""
    released.commit("feat: log out")
    other = released.root.parent / "other"
    real = released.run("sh", "-c", "command -v git").out.strip()
    script = f"""#!/bin/sh
test "$1" = push || exec {real} "$@"
{real} "$@" && {real} clone -q ../origin.git {other} && cd {other} &&
{real} -c user.name=o -c user.email=o@e.x commit -q --allow-empty -m 'fix: next' &&
{real} push -q origin main
exit 1
"""
    released.write(".venv/git", script)
    (released.root / ".venv/git").chmod(0o755)
    path = f"{released.root}/.venv:{released.env['PATH']}"
    ran = released.trunkline("release", PATH=path)
    assert (ran.code, "released v1.2.0" in ran.out) == (0, True), ran.all
    assert released.version == "1.2.0"
    assert released.git("cat-file", "-t", "v1.2.0") == "tag"


def test_an_unpushed_tag_that_was_made_by_hand_is_not_pushed(released: Sample) -> None:
    released.commit("feat: log out")
    assert released.cz("bump", "--yes").code == 0
    released.git("tag", "-f", "v1.2.0", "v1.2.0^{commit}")
    ran = released.trunkline("release")
    assert (ran.code, "rule `hand-made-tag`" in ran.err) == (1, True)
    assert "refs/tags/v1.2.0" not in released.remote_refs()


def test_on_a_terminal_it_asks(released: Sample) -> None:
    released.commit("feat: log out")
    before = released.picture()
    terminal, other_end = os.openpty()
    os.write(terminal, b"n\n")
    done = subprocess.run(
        ["trunkline", "release"],
        cwd=released.root,
        env=released.env,
        stdin=other_end,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "Release v1.2.0? [y/N]" in done.stdout) == (1, True)
    assert "nothing was changed" in done.stderr
    assert released.picture() == before


def test_without_a_terminal_it_wants_yes(released: Sample) -> None:
    released.commit("feat: log out")
    before = released.picture(), released.remote_refs()
    ran = released.run("trunkline", "release")
    assert ran.code == 2
    assert "type next: the same command with --yes" in ran.err
    assert (released.picture(), released.remote_refs()) == before


def test_the_help_lists_only_options_that_cz_bump_has(sample: Sample) -> None:
    listed = re.findall(r"--[\w-]+", sample.run("trunkline", "release", "-h").out)
    known = sample.run("cz", "bump", "--help").out
    own = {"--package", "--dry-run", "--yes", "--strict", "--github-output", "--help"}
    assert {"--increment", "--prerelease"} <= {*listed}
    assert [name for name in listed if name not in own and name not in known] == []


@pytest.mark.parametrize("work", [True, False])
def test_a_workflow_learns_the_tag_also_when_it_was_made_before(
    released: Sample,
    work: bool,
) -> None:
    if work:
        released.commit("feat: log out")
    file = released.root / ".venv/output"
    file.parent.mkdir(exist_ok=True)
    form = ("--increment", "auto", "--prerelease", "none")
    ran = released.trunkline(
        "release", "--yes", "--github-output", *form, GITHUB_OUTPUT=str(file)
    )
    assert ran.code == 0, ran.all
    assert file.read_text() == ("tag=v1.2.0\n" if work else "tag=v1.1.0\n")


def test_a_form_that_asks_for_an_alpha_gets_one(released: Sample) -> None:
    released.commit("feat: log out")
    form = ("--increment", "auto", "--prerelease", "alpha")
    ran = released.trunkline("release", "--yes", *form)
    assert (ran.code, "released v1.2.0-alpha.0" in ran.out) == (0, True), ran.all


def test_a_release_whose_bump_is_reverted_keeps_its_tag(released: Sample) -> None:
    released.git("revert", "--no-edit", "HEAD")
    released.push()
    ran = released.trunkline("release")
    assert ran.code == 1, ran.all
    assert "git log -p v1.1.0.. -- pyproject.toml" in ran.err
    assert "refs/tags" not in ran.err


def test_a_terminal_without_unicode_is_enough(released: Sample) -> None:
    released.commit("feat: größer")
    ran = released.run("trunkline", "release", "--dry-run", PYTHONIOENCODING="ascii")
    assert ran.code == 0, ran.all
    assert "gr\\xf6\\xdfer" in ran.out


def test_a_push_that_cannot_succeed_is_tried_before_another_release(
    released: Sample,
) -> None:
    released.git("config", "remote.origin.pushurl", "../nowhere.git")
    released.commit("feat: more")
    ran = released.trunkline("release")
    assert ran.code == 1, ran.all
    assert "type next: git push --dry-run origin main && uv run trunkline" in ran.err
