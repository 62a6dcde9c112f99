import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.errors import Refusal, UsageError
from trunkline.images.tags import branch_tag, image_tags, maintained_versions
from trunkline.versions import Version

COMMIT = "0123456789abcdef0123456789abcdef01234567"
DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
branches = st.one_of(
    st.text(min_size=1, max_size=200),
    st.sampled_from(["latest", "1.2.0", "v1.2.0", "sha-0123", "LATEST", "-", "ü"]),
    st.from_regex(r"(feat|fix)/[A-Za-z0-9._/-]{1,120}", fullmatch=True),
)


@given(branches)
def test_a_branch_tag_is_legal_and_no_release(branch: str) -> None:
    tag = branch_tag(branch)
    assert DNS_LABEL.fullmatch(tag)
    assert tag != "latest"
    assert not tag.startswith("sha-")
    assert not re.match(r"v?[0-9]", tag)
    assert Version.from_tag(f"v{tag}") is None


@pytest.mark.parametrize(
    ("branch", "tag"),
    [
        ("feat/login-button", "feat-login-button"),
        ("main", "main"),
        ("Feat//Login_Button!", "feat-login-button"),
        ("latest", "branch-latest"),
        ("latest-news", "latest-news"),
        ("1.2.0", "branch-1-2-0"),
        ("v1.2.0", "branch-v1-2-0"),
        ("vendor", "vendor"),
        ("sha-12ab", "branch-sha-12ab"),
    ],
)
def test_branch_tags_of_the_design(branch: str, tag: str) -> None:
    assert branch_tag(branch) == tag


def test_a_long_branch_is_cut_and_stays_unique() -> None:
    one, two = (
        branch_tag("feat/" + "a" * 80 + "1"),
        branch_tag("feat/" + "a" * 80 + "2"),
    )
    assert len(one) == len(two) == 63
    assert one != two


def test_a_branch_without_letters_is_named_by_its_hash() -> None:
    assert re.fullmatch(r"branch-[0-9a-f]{8}", branch_tag("---"))


@pytest.mark.parametrize(
    ("ref", "names"),
    [
        ("refs/heads/main", ["sha-0123456789ab", "main"]),
        ("refs/tags/v1.2.0", ["sha-0123456789ab", "1.2.0", "latest"]),
        ("refs/tags/v1.1.1", ["sha-0123456789ab", "1.1.1"]),
        ("refs/tags/v1.3.0-alpha.1", ["sha-0123456789ab", "1.3.0-alpha.1"]),
    ],
)
def test_tags_of_a_ref(ref: str, names: list[str]) -> None:
    tags = ["v1.1.0", "v1.2.0", "v1.3.0-alpha.1", "scratch"]
    plan = image_tags(ref, commit=COMMIT, image="my-app", all_tags=tags)
    assert [tag.name for tag in plan.tags] == names


def test_only_pointers_are_mutable() -> None:
    plan = image_tags("refs/tags/v1.0.0", commit=COMMIT, image="my-app", all_tags=[])
    assert {tag.name: tag.mutable for tag in plan.tags} == {
        "sha-0123456789ab": False,
        "1.0.0": False,
        "latest": True,
    }


@pytest.mark.parametrize("ref", ["refs/tags/scratch", "refs/pull/1/merge", "v1.0.0"])
def test_another_ref_gets_no_image(ref: str) -> None:
    with pytest.raises(UsageError, match="gets no image"):
        image_tags(ref, commit=COMMIT, image="my-app", all_tags=[])


VERSIONS = st.builds(
    Version,
    st.integers(0, 2),
    st.integers(0, 2),
    st.integers(0, 2),
    st.sampled_from([(), ("alpha", "1"), ("rc", "2")]),
)


@given(st.lists(VERSIONS, unique=True, min_size=1))
def test_latest_never_moves_back_in_whichever_order_tags_are_pushed(
    versions: list[Version],
) -> None:
    pushed, latest = list[str](), None
    for version in versions:
        pushed.append(version.tag)
        plan = image_tags(
            f"refs/tags/{version.tag}", commit=COMMIT, image="my-app", all_tags=pushed
        )
        if "latest" in {tag.name for tag in plan.tags}:
            assert latest is None or version > latest
            latest = version
    assert latest == max((v for v in versions if v.stable), default=None)


@given(st.lists(VERSIONS, unique=True, min_size=1))
def test_latest_is_the_highest_however_late_a_job_runs(versions: list[Version]) -> None:
    pushed = [version.tag for version in versions]
    claims = [
        version
        for version in versions
        for tag in image_tags(
            f"refs/tags/{version.tag}", commit=COMMIT, image="my-app", all_tags=pushed
        ).tags
        if tag.name == "latest"
    ]
    stable = [version for version in versions if version.stable]
    assert claims == ([max(stable)] if stable else [])


WORDS = st.lists(st.from_regex("[a-z]{1,6}", fullmatch=True), min_size=2, max_size=8)


@given(WORDS)
def test_two_live_branches_with_one_tag_are_refused_with_both_names(
    words: list[str],
) -> None:
    one, two = "/".join(words), "-".join(words)
    with pytest.raises(Refusal, match="branch-tag") as caught:
        image_tags(
            f"refs/heads/{one}",
            commit=COMMIT,
            image="my-app",
            all_tags=[],
            all_branches=[one, two, "main"],
        )
    assert f"branches {one} and {two} both" in str(caught.value)


@given(WORDS)
def test_a_branch_does_not_stand_in_its_own_way(words: list[str]) -> None:
    branch = "/".join(words)
    plan = image_tags(
        f"refs/heads/{branch}",
        commit=COMMIT,
        image="my-app",
        all_tags=[],
        all_branches=[branch, f"{branch}-2"],
    )
    assert plan.tags[1].name == branch_tag(branch)


@pytest.mark.parametrize(
    ("made", "maintained"),
    [
        ("", ""),
        ("v0.1.0-alpha.0 nonsense v1", ""),
        ("v0.1.0 v0.2.0", "0.2.0"),
        ("v0.1.0 v0.2.0 v0.1.1", "0.2.0 0.1.1"),
        ("v0.1.0 v0.2.0 v0.1.1 v0.1.2 v0.2.1", "0.2.1 0.1.2"),
        ("v0.1.0 v0.2.0-rc.0 v0.1.1 v0.2.0", "0.2.0"),
        ("v1.0.0 v2.0.0 v1.1.0 v1.0.1", "2.0.0 1.1.0 1.0.1"),
        ("v1.0.0 v1.1.0 v1.2.0 v1.3.0 v1.4.0 v1.0.1 v1.1.1 v1.2.1 v1.3.1",
         "1.4.0 1.3.1 1.2.1 1.1.1"),
    ],
)  # fmt: skip
def test_maintained_are_the_highest_version_and_the_newest_hotfix_lines(
    made: str, maintained: str
) -> None:
    found = maintained_versions(made.split())
    assert [str(version) for version in found] == maintained.split()
