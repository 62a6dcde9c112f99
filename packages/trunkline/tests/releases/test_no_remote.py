"""A repository that was made a moment ago, and has not been pushed anywhere."""

import pytest

from samples import Sample


@pytest.fixture
def alone(sample: Sample) -> Sample:
    sample.git("remote", "remove", "origin")
    sample.commit("feat: more")
    return sample


def test_the_first_version_can_be_made_before_there_is_a_remote(alone: Sample) -> None:
    ran = alone.cz("bump", "--yes")
    assert ran.code == 0, ran.all
    assert alone.git("tag", "--points-at", "HEAD") == f"v{alone.version}"


def test_a_release_says_that_there_is_nowhere_to_push_to(alone: Sample) -> None:
    before = alone.picture()
    ran = alone.trunkline("release", "--yes")
    assert ran.code == 1
    assert "found:     a repository without a remote" in ran.err
    assert "type next: git remote add origin URL && git push -u origin main" in ran.err
    assert alone.picture() == before


def test_another_remote_than_the_one_that_is_asked_is_no_reason_to_go_on(
    alone: Sample,
) -> None:
    alone.git("remote", "add", "elsewhere", "../origin.git")
    before = alone.picture()
    ran = alone.cz("bump", "--yes")
    assert ran.code != 0
    assert "refused by rule `remote`" in ran.err
    assert '[tool.trunkline] remote = "elsewhere"' in ran.err
    assert alone.picture() == before
    alone.run("sh", "-c", ran.err.partition("type next: ")[2].splitlines()[0])
    assert alone.cz("bump", "--yes").code == 0


def test_what_was_made_without_a_remote_is_pushed_afterwards(alone: Sample) -> None:
    assert alone.cz("bump", "--yes").code == 0
    alone.git("remote", "add", "origin", "../origin.git")
    ran = alone.trunkline("release", "--yes")
    assert ran.code == 0, ran.all
    assert f"refs/tags/v{alone.version}" in alone.remote_refs()


def test_of_two_remotes_the_one_to_release_to_is_asked_for(released: Sample) -> None:
    """Remote: a fork as `origin` while `main` tracks `upstream`."""
    released.git("clone", "-q", "--bare", "../origin.git", "../fork.git")
    released.git("remote", "rename", "origin", "upstream")
    released.git("remote", "add", "origin", "../fork.git")
    released.commit("feat: more")
    ran = released.trunkline("release")
    assert ran.code == 1
    assert "main tracks upstream; a release would go to origin" in ran.err
    assert '[tool.trunkline] remote = "upstream"' in ran.err
    assert "v1.2.0" not in released.git("ls-remote", "origin")
    text = released.read("pyproject.toml")
    text = text.replace("[tool.trunkline]\n", '[tool.trunkline]\nremote = "upstream"\n')
    released.commit("chore: name the remote", {"pyproject.toml": text})
    assert released.trunkline("release").code == 0
    assert "v1.2.0" in released.git("ls-remote", "upstream")


def test_behind_a_colleagues_release_one_command_is_enough(released: Sample) -> None:
    """Behind: a pull of the branch alone would bring no tag."""
    released.commit("feat: more", {"more.txt": "more"})
    other = released.clone("other")
    other.commit("feat: theirs")
    other.bump()
    ran = released.trunkline("release")
    assert (ran.code, "rule `behind`" in ran.err) == (1, True), ran.all
    command = ran.err.partition("type next: ")[2].split()
    assert released.run(*command).code == 0
    assert released.trunkline("release").code == 0
    assert released.version == "1.3.0"
