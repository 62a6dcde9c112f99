"""The release on GitHub of a micropackage's version: a real tag, a fake of GitHub."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from githubs import FakeGitHub, github_api, release
from samples import Sample
from trunkline.notes.github_release import member_page, member_version
from trunkline.versions import Version
from workspaces import add_member, build_service, clone

TAG = "vat-rules-v0.1.0"
OBJECT = f"object 1\ntype commit\ntag {TAG}\ntagger dev\n\n"


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with github_api() as fake:
        yield fake


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """A service whose micropackage was released by the command."""
    service = build_service(tmp_path_factory.mktemp("service"))
    add_member(service, "vat-rules")
    service.push()
    ran = service.trunkline("release", "--package", "vat-rules")
    assert ran.code == 0, ran.all
    return service


def test_the_release_of_a_micropackage_is_its_tag_s_and_never_the_latest(
    service: Sample, github: FakeGitHub
) -> None:
    ran = release(service, github, TAG)
    assert ran.code == 0, ran.all
    made = github.releases[TAG]
    assert (made["name"], made["body"]) == (TAG, "- feat(vat-rules): begin")
    assert (made["prerelease"], github.latest) == (False, None)
    assert "updated" in release(service, github, TAG).out
    assert github.releases[TAG] == made


def test_a_clone_that_has_the_commit_in_place_of_the_tag_finds_its_message(
    service: Sample, github: FakeGitHub
) -> None:
    """What a checkout of a tag may leave behind."""
    other = clone(service, "runner")
    commit = other.git("rev-parse", f"{TAG}^{{commit}}")
    other.git("tag", "-f", TAG, commit)
    other.git("-c", "gc.pruneExpire=now", "gc", "-q", "--prune=now")
    assert release(other, github, TAG).code == 0
    assert github.releases[TAG]["body"] == "- feat(vat-rules): begin"


def test_the_version_of_a_member_gets_no_image(service: Sample) -> None:
    ran = service.trunkline("tags", f"refs/tags/{TAG}")
    assert ran.code == 2
    assert "gets no image, because it is a version of vat-rules alone" in ran.err


@pytest.mark.parametrize(
    ("tag", "code", "said"),
    [
        ("vat-rules-v9.0.0", 1, "uv run trunkline release --package vat-rules"),
        ("other-v0.1.0", 2, "expected one of: vat-rules-v0.1.0"),
    ],
)
def test_a_tag_that_is_not_there_gets_no_release(
    service: Sample, github: FakeGitHub, tag: str, code: int, said: str
) -> None:
    ran = release(service, github, tag)
    assert (ran.code, said in ran.err) == (code, True), ran.all
    assert not github.asked


def test_a_workflow_gets_the_tag_as_that_of_a_member(
    service: Sample, tmp_path: Path
) -> None:
    """Again after a failure, too, when there is nothing left to release."""
    outputs = tmp_path / "outputs"
    options = ("--github-output", "--package", "vat-rules", "--increment", "auto")
    ran = service.trunkline("release", *options, GITHUB_OUTPUT=str(outputs))
    assert (ran.code, "nothing to release" in ran.out) == (0, True), ran.all
    assert outputs.read_text() == f"member={TAG}\n"


def test_a_signature_is_no_part_of_the_notes() -> None:
    signed = (
        f"{OBJECT}vat-rules 0.1.0\n\n- a\n- b\n-----BEGIN PGP SIGNATURE-----\n\nx\n"
    )
    page = member_page(TAG, Version(0, 1, 0), signed)
    assert page.body == "- a\n- b"
    assert member_page(TAG, Version(0, 1, 0), f"{OBJECT}{TAG}\n").body == ""


def test_a_preview_of_a_member_is_marked_as_one() -> None:
    assert member_page("a-v1.0.0-rc.1", Version(1, 0, 0, ("rc", "1")), "").prerelease


@pytest.mark.parametrize("tag", ["v1.2.0", "v1.2.0-alpha.1", "1.2.0", "-v1.2.0", ""])
def test_a_version_of_the_service_is_not_one_of_a_member(tag: str) -> None:
    assert member_version(tag) is None


@pytest.mark.parametrize("name", ["rules", "vat-rules", "v2-client", "a-v1"])
@pytest.mark.parametrize("text", ["0.1.0", "1.0.0-alpha.1"])
def test_the_version_of_a_member_is_read_from_its_tag(name: str, text: str) -> None:
    assert member_version(f"{name}-v{text}") == Version.parse(text)
