"""Which image a person names, in a real registry."""

import shlex

import pytest

from registries import Server, push_image
from samples import Sample
from services import Service, add_service
from trunkline.commits.conventional import shown
from trunkline.deploy.candidates import find_image, image_tag, image_version
from trunkline.deploy.environments import Environment
from trunkline.errors import Refusal
from trunkline.git import Repository
from trunkline.registry.client import Registry

STAGING = Environment("staging", "http://127.0.0.1:8100", "compose")
PRODUCTION = Environment("production", "http://127.0.0.1:80", "compose", "releases")
COMMIT = "4f1c09b2d7ae" + "0" * 28
LABELS = {"org.opencontainers.image.revision": COMMIT}


@pytest.mark.parametrize(
    ("ref", "tag"),
    [
        ("feat/login-button", "feat-login-button"),
        ("feat-login-button", "feat-login-button"),
        ("refs/heads/main", "main"),
        ("sha-4f1c09b2d7ae", "sha-4f1c09b2d7ae"),
        ("../../etc", "etc"),
        ("\x1b[31mred\n", "31mred"),
    ],
)
def test_a_branch_is_found_by_its_name_and_by_its_tag(ref: str, tag: str) -> None:
    assert image_tag(ref).removeprefix("branch-") == tag
    assert len(image_tag(ref * 30)) <= 63


@pytest.mark.parametrize("ref", ["v1.2.0", "1.2.0", "refs/tags/v1.2.0"])
def test_a_version_is_no_branch(ref: str) -> None:
    assert str(image_version(ref)) == "1.2.0"
    assert image_version(f"x{ref}") is None


def test_a_candidate_is_pinned_by_its_digest(registry: Registry) -> None:
    manifest = push_image(registry, labels=LABELS)
    registry.put_manifest("feat-login", manifest)
    found = find_image(registry, Repository.find(), STAGING, "feat/login")
    assert (found.commit, found.digest) == (COMMIT, manifest.digest)
    ref = "refs/heads/feat/login"
    assert find_image(registry, Repository.find(), STAGING, ref) == found


@pytest.mark.parametrize("ref", [COMMIT, COMMIT[:12], f"sha-{COMMIT[:12]}"])
def test_a_commit_is_found_by_its_id(registry: Registry, ref: str) -> None:
    registry.put_manifest(f"sha-{COMMIT[:12]}", push_image(registry, labels=LABELS))
    found = find_image(registry, Repository.find(), STAGING, ref)
    assert (found.ref, found.commit) == (ref, COMMIT)


@pytest.mark.parametrize("label", ["", "unknown", "\x1b[31m", "a\tb"])
def test_an_image_that_names_no_commit_is_refused(
    registry: Registry, label: str
) -> None:
    labels = dict.fromkeys(LABELS, label)
    registry.put_manifest("main", push_image(registry, labels=labels))
    with pytest.raises(Refusal, match="image-labels") as refused:
        find_image(registry, Repository.find(), STAGING, "main")
    assert refused.value.found.isprintable()


@pytest.mark.parametrize("ref", ["feat/$(reboot)", "a;b", "\x1b[31mred\n"])
def test_what_is_to_be_typed_does_no_more_than_it_says(
    registry: Registry, ref: str
) -> None:
    with pytest.raises(Refusal) as refused:
        find_image(registry, Repository.find(), STAGING, ref)
    assert str(refused.value.fix).isprintable()
    assert shlex.split(refused.value.fix, comments=True)[4:] == [shown(ref)]
    assert "'" in refused.value.fix


def test_production_refuses_a_version_that_was_moved(registry: Registry) -> None:
    first = push_image(registry, "first", labels=LABELS)
    registry.put_manifest("1.2.0", first)
    registry.put_manifest(f"sha-{COMMIT[:12]}", first)
    found = find_image(registry, Repository.find(), PRODUCTION, "v1.2.0")
    assert found.digest == first.digest
    other = push_image(registry, "other", labels=LABELS)
    registry.put_manifest("1.2.0", other)
    with pytest.raises(Refusal, match="moved in the registry"):
        find_image(registry, Repository.find(), PRODUCTION, "v1.2.0")


def test_production_refuses_a_version_that_nothing_confirms(
    registry: Registry,
) -> None:
    registry.put_manifest("9.9.9", push_image(registry, labels=LABELS))
    with pytest.raises(Refusal, match="which nothing confirms") as refused:
        find_image(registry, Repository.find(), PRODUCTION, "v9.9.9")
    assert refused.value.fix.startswith("git fetch --tags")


@pytest.mark.parametrize("ref", ["main", "latest", f"sha-{COMMIT[:12]}", "v1", "1.2"])
def test_production_takes_nothing_but_versions(registry: Registry, ref: str) -> None:
    with pytest.raises(Refusal, match="releases-only"):
        find_image(registry, Repository.find(), PRODUCTION, ref)


@pytest.fixture
def service(released: Sample, registry_server: Server) -> Service:
    made = add_service(released, registry_server)
    made.prebuilt()
    return made


def image_of(service: Service, environment: Environment, ref: str) -> str:
    repository = Repository.find(service.sample.root)
    return find_image(service.registry, repository, environment, ref).commit


def type_next(service: Service, environment: Environment, ref: str) -> None:
    """Type what the refusal of an image says."""
    with pytest.raises(Refusal) as refused:
        image_of(service, environment, ref)
    words = refused.value.fix.partition("  (")[0].removeprefix("uv run ").split()
    ran = service.sample.trunkline(*words[1:])
    assert (words[0], ran.code) == ("trunkline", 0), ran.all


def test_an_image_that_is_missing_is_there_once_it_is_published(
    service: Service,
) -> None:
    head = service.sample.git("rev-parse", "HEAD")
    type_next(service, STAGING, "main")
    assert image_of(service, STAGING, "main") == head
    service.registry.put_manifest("main", push_image(service.registry, "foreign"))
    type_next(service, STAGING, "main")
    assert image_of(service, STAGING, "main") == head


def test_after_a_version_that_was_moved_the_next_one_is_taken(
    service: Service,
) -> None:
    sample = service.sample
    service.prebuilt(sample.git("rev-parse", "v1.1.0^{commit}"))
    assert service.publish("v1.1.0").code == 0
    other = push_image(service.registry, "other", labels=LABELS)
    service.registry.put_manifest("1.1.0", other)
    type_next(service, PRODUCTION, "v1.1.0")
    service.prebuilt()
    assert service.publish("v1.2.0").code == 0
    head = sample.git("rev-parse", "HEAD")
    assert image_of(service, PRODUCTION, "v1.2.0") == head
