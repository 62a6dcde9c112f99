from collections.abc import Callable
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.images.mutable_tags import first_with_image, latest_image, newest
from trunkline.images.tags import image_tags
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
def test_whatever_job_ends_last_the_tag_ends_at_the_newest(
    jobs: tuple[str, ...],
) -> None:
    tag = None
    for job in jobs:
        tag = newest((tag, job), tip="c", contains=line("a", "b", "c"))
    assert tag == "c"


def test_a_commit_that_was_pushed_away_gets_no_tag() -> None:
    contains = {("new", "new"), ("old", "old")}
    found = newest(
        ("old", "new"), tip="new", contains=lambda one, two: (one, two) in contains
    )
    assert found == "new"


def test_a_branch_that_was_set_back_takes_its_tag_back() -> None:
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
        if found := latest_image(git_tags, images):
            seen.append(Version.parse(found))
    assert seen == sorted(seen)
    stable = [version for version in pushed if version.stable]
    assert (seen[-1] if seen else None) == max(stable, default=None)


def test_latest_waits_for_a_higher_version_that_is_still_built() -> None:
    assert latest_image(["v1.1.0", "v1.2.0"], ["1.1.0"]) is None
    assert latest_image(["v1.1.0", "v1.2.0"], ["1.1.0", "1.2.0"]) == "1.2.0"


def test_a_version_whose_git_tag_was_deleted_still_counts() -> None:
    assert latest_image(["v1.1.0"], ["1.1.0", "1.2.0"]) == "1.2.0"


def test_branches_that_look_like_versions_do_not_count() -> None:
    assert (
        latest_image(["v1.0.0"], ["1.0.0", "branch-2-0-0", "main", "latest"]) == "1.0.0"
    )


@given(st.lists(versions, unique_by=str, min_size=1), st.data())
def test_the_plan_of_a_release_promises_latest_if_publishing_moves_it(
    existing: list[Version], data: st.DataObject
) -> None:
    """Git tags and images may be deleted in any combination; the rule is one."""
    some = st.lists(st.sampled_from(existing), unique=True)
    released = data.draw(st.sampled_from(existing))
    git_tags = [version.tag for version in data.draw(some)]
    published = [str(version) for version in data.draw(some)]
    plan = image_tags(
        f"refs/tags/{released.tag}",
        commit="0" * 40,
        image="my-app",
        all_tags=git_tags,
        published=published,
    )
    promised = "latest" in {tag.name for tag in plan.tags}
    moved = latest_image([*git_tags, released.tag], [*published, str(released)])
    assert promised == (moved == str(released))


def test_a_plan_counts_an_image_whose_git_tag_was_deleted() -> None:
    plan = image_tags(
        "refs/tags/v1.1.1",
        commit="0" * 40,
        image="my-app",
        all_tags=["v1.1.1"],
        published=["1.1.1", "1.2.0"],
    )
    assert [tag.name for tag in plan.tags] == ["sha-000000000000", "1.1.1"]
