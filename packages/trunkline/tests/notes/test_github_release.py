from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from githubs import TOKEN, FakeGitHub, github_api, release
from samples import Sample
from trunkline.errors import Refusal
from trunkline.notes.github import GitHub, find_github
from trunkline.notes.github_release import LONGEST, publish, release_page
from trunkline.versions import Version


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with github_api() as fake:
        yield fake


def test_the_release_of_a_version_says_what_its_notes_say(
    released: Sample, github: FakeGitHub
) -> None:
    ran = release(released, github, "v1.1.0")
    assert ran.code == 0, ran.all
    made = github.releases["v1.1.0"]
    notes = released.trunkline("notes", "v1.1.0").out
    assert made["body"] == notes.partition("\n\n")[2].strip()
    assert (made["name"], made["prerelease"], made["draft"]) == ("v1.1.0", False, False)
    assert "created: https://github.com/acme/my-app/releases/tag/v1.1.0" in ran.out


def test_only_the_highest_stable_version_is_the_latest(
    hotfixed: Sample, github: FakeGitHub
) -> None:
    for tag in ("v1.2.0", "v1.1.1", "v1.0.0"):
        assert release(hotfixed, github, tag).code == 0
    assert github.latest == "v1.2.0"


def test_a_preview_is_marked_as_one_and_never_the_latest(
    released: Sample, github: FakeGitHub
) -> None:
    released.commit("feat: a preview")
    released.bump("--prerelease", "alpha")
    assert release(released, github).code == 0
    assert github.releases["v1.2.0-alpha.0"]["prerelease"] is True
    assert github.latest is None


def test_called_again_it_changes_nothing(released: Sample, github: FakeGitHub) -> None:
    release(released, github, "v1.1.0")
    before = dict(github.releases["v1.1.0"])
    ran = release(released, github, "v1.1.0")
    assert (ran.code, github.releases) == (0, {"v1.1.0": before})
    assert "updated" in ran.out


def test_what_somebody_changed_is_corrected(
    released: Sample, github: FakeGitHub
) -> None:
    release(released, github, "v1.1.0")
    made = dict(github.releases["v1.1.0"])
    github.releases["v1.1.0"]["body"] = "nothing"
    github.latest = "v1.0.0"
    assert "updated" in release(released, github, "v1.1.0").out
    assert (github.releases["v1.1.0"], github.latest) == (made, "v1.1.0")


def test_a_tag_that_was_not_pushed_gets_no_release(
    released: Sample, github: FakeGitHub
) -> None:
    released.git("push", "-q", "origin", ":refs/tags/v1.1.0")
    ran = release(released, github, "v1.1.0")
    assert ran.code == 1
    assert "no tag v1.1.0 on origin" in ran.err
    assert not github.asked


def test_a_dry_run_needs_no_token_and_asks_nothing(
    released: Sample, github: FakeGitHub
) -> None:
    ran = release(released, github, "v1.1.0", "--dry-run", GITHUB_TOKEN="")
    assert ran.code == 0
    assert "would publish v1.1.0, the latest" in ran.out
    assert not github.asked


@pytest.mark.parametrize(
    ("token", "said"),
    [("", "export GITHUB_TOKEN="), ("wrong", "Bad credentials")],
)
def test_without_the_right_token_it_says_so_and_never_shows_it(
    released: Sample, github: FakeGitHub, token: str, said: str
) -> None:
    ran = release(released, github, "v1.1.0", GITHUB_TOKEN=token)
    assert ran.code == 1
    assert said in ran.err
    assert "wrong" not in ran.err


def test_a_release_that_another_run_has_just_created_is_not_a_failure(
    github: FakeGitHub,
) -> None:
    page = release_page("v1.0.0", "## v1.0.0\n\ntext", ["v1.0.0"])
    client = GitHub(github.url, "acme/my-app", TOKEN, backoff=0)
    # The release is stored, its answer is lost, and the second try is refused.
    github.store("v1.0.0", page.fields)
    github.faults = [("GET", 404), ("POST", 502)]
    assert publish(client, page)[0] == "updated"
    assert list(github.releases) == ["v1.0.0"]


def test_a_transient_error_is_retried(github: FakeGitHub) -> None:
    github.faults = [("GET", 503), ("GET", 500), ("POST", 502)]
    client = GitHub(github.url, "acme/my-app", TOKEN, backoff=0)
    assert publish(client, release_page("v1.0.0", "text", ["v1.0.0"]))[0] == "created"


@pytest.mark.parametrize(
    "address",
    [
        "git@github.com:acme/my-app.git",
        "https://github.com/acme/my-app",
        "ssh://git@github.com/acme/my-app.git",
    ],
)
def test_on_a_laptop_the_remote_says_which_repository_it_is(address: str) -> None:
    assert find_github({"GH_TOKEN": "t"}, address).repository == "acme/my-app"


def test_a_remote_elsewhere_is_not_a_repository_on_github() -> None:
    with pytest.raises(Refusal, match="GITHUB_REPOSITORY=OWNER/NAME"):
        find_github({"GH_TOKEN": "t"}, "/srv/git/my-app.git")


def test_notes_that_are_too_long_end_with_where_the_rest_is() -> None:
    body = release_page("v1.0.0", "## v1.0.0\n\n" + "- a line\n" * 20_000, []).body
    assert len(body) < LONGEST + 100
    assert body.endswith("- a line\n\nThe rest is in CHANGELOG.md.")


versions = st.builds(
    Version,
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from([(), ("alpha", "0")]),
)


@given(st.lists(versions, min_size=1, unique=True))
def test_of_any_tags_at_most_one_is_the_latest_and_it_is_the_highest(
    tags: list[Version],
) -> None:
    all_tags = [version.tag for version in tags]
    latest = [tag for tag in all_tags if release_page(tag, "", all_tags).latest]
    stable = [version for version in tags if version.stable]
    assert latest == ([max(stable).tag] if stable else [])
