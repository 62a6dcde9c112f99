import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.errors import UsageError
from trunkline.versions import Version

numbers = st.integers(min_value=0, max_value=10**6)
words = st.one_of(
    numbers.map(str),
    st.text("abcXYZ0123456789-", min_size=1).filter(lambda word: not word.isdigit()),
)
versions = st.builds(
    Version, numbers, numbers, numbers, st.lists(words, max_size=4).map(tuple)
)

# The example of the specification, https://semver.org/#spec-item-11
IN_ORDER = (
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
)


@given(versions)
def test_text_and_tag_read_back_as_the_same_version(version: Version) -> None:
    assert Version.parse(str(version)) == version
    assert Version.from_tag(version.tag) == version


@given(versions, versions)
def test_two_versions_have_one_order(one: Version, two: Version) -> None:
    assert [one < two, one == two, one > two].count(True) == 1


@given(versions, versions, versions)
def test_the_order_is_transitive(one: Version, two: Version, three: Version) -> None:
    first, second, third = sorted((one, two, three))
    assert first <= second <= third
    assert first <= third


@given(versions)
def test_a_prerelease_precedes_its_release(version: Version) -> None:
    release = Version(version.major, version.minor, version.patch)
    assert version < release or version.stable


def test_the_order_is_that_of_the_specification() -> None:
    parsed = [Version.parse(text) for text in IN_ORDER]
    shuffled = parsed[4:] + parsed[:4]
    assert sorted(shuffled) == parsed


def test_alpha_ten_follows_alpha_nine() -> None:
    assert Version.parse("1.2.0-alpha.10") > Version.parse("1.2.0-alpha.9")


@pytest.mark.parametrize(
    "text", ["", "1", "1.2", "01.2.3", "1.2.3-", "v1.2.3", "1.2.3-01"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a version"):
        Version.parse(text)


@pytest.mark.parametrize("tag", ["1.2.3", "v1.2", "v1.2.3+build", "release", "vv1.2.3"])
def test_other_tags_have_no_version(tag: str) -> None:
    assert Version.from_tag(tag) is None


def test_a_version_that_uv_has_respelt_is_the_same() -> None:
    assert Version.from_project("1.2.0a3") == Version.parse("1.2.0-alpha.3")
