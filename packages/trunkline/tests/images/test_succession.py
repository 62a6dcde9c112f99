from collections.abc import Callable
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.images.succession import first_with_image, latest, newest
from trunkline.versions import Version

versions = st.builds(
    Version,
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from([(), (), ("alpha", "0"), ("alpha", "1")]),
)


def line(*commits: str) -> Callable[[str, str], bool]:
    """Return `contains` of a history in which each commit follows the one before."""
    return lambda one, other: commits.index(one) >= commits.index(other)


@pytest.mark.parametrize("jobs", list(permutations("abc")))
def test_whatever_job_ends_last_the_pointer_ends_at_the_newest(
    jobs: tuple[str, ...],
) -> None:
    pointer = None
    for job in jobs:
        pointer = newest((pointer, job), tip="c", contains=line("a", "b", "c"))
    assert pointer == "c"


def test_a_branch_that_is_gone_gets_no_pointer() -> None:
    assert newest(("a",), tip=None, contains=line("a")) is None


def test_a_commit_that_was_pushed_away_gets_no_pointer() -> None:
    contains = {("new", "new"), ("old", "old")}
    found = newest(
        ("old", "new"), tip="new", contains=lambda one, two: (one, two) in contains
    )
    assert found == "new"


def test_a_branch_that_was_set_back_takes_its_pointer_back() -> None:
    assert newest(("c", "b"), tip="b", contains=line("a", "b", "c")) == "b"


def test_the_newest_commit_of_a_line_with_an_image_is_found() -> None:
    commits = [f"{digit}" * 40 for digit in "321"]
    assert first_with_image(commits, ["sha-222222222222", "main"]) == "2" * 40
    assert first_with_image(commits, ["main"]) is None


@given(st.lists(versions, unique_by=str, min_size=1))
def test_latest_never_moves_back_whatever_the_order(
    pushed: list[Version],
) -> None:
    git_tags = [version.tag for version in pushed]
    images: list[str] = []
    seen: list[Version] = []
    for version in pushed:
        images.append(str(version))
        if found := latest(git_tags, images):
            seen.append(Version.parse(found))
    assert seen == sorted(seen)
    stable = [version for version in pushed if version.stable]
    assert (seen[-1] if seen else None) == max(stable, default=None)


def test_latest_waits_for_a_higher_version_that_is_still_built() -> None:
    assert latest(["v1.1.0", "v1.2.0"], ["1.1.0"]) is None
    assert latest(["v1.1.0", "v1.2.0"], ["1.1.0", "1.2.0"]) == "1.2.0"


def test_a_version_whose_git_tag_was_deleted_still_counts() -> None:
    assert latest(["v1.1.0"], ["1.1.0", "1.2.0"]) == "1.2.0"


def test_branches_that_look_like_versions_do_not_count() -> None:
    assert latest(["v1.0.0"], ["1.0.0", "branch-2-0-0", "main", "latest"]) == "1.0.0"
