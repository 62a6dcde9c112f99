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
    assert alone.picture() == before


def test_what_was_made_without_a_remote_is_pushed_afterwards(alone: Sample) -> None:
    assert alone.cz("bump", "--yes").code == 0
    alone.git("remote", "add", "origin", "../origin.git")
    ran = alone.trunkline("release", "--yes")
    assert ran.code == 0, ran.all
    assert f"refs/tags/v{alone.version}" in alone.remote_refs()
