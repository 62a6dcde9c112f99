"""What `copier update` does with a team's edits, as docs/template.md says."""

import pytest

from generated import by_copier, by_tool
from samples import Ran, Sample, identify
from updates import DELETED, NEW, OLD, check_work, team

pytestmark = pytest.mark.slow

OURS = "# Ours."


@pytest.fixture
def service(releases: Sample) -> Sample:
    """A service that copier has made of v0.1.0, with nothing of its own."""
    folder = by_copier(releases, "acme", {"title": "Acme"}, at="v0.1.0")
    service = Sample(folder, releases.origin, releases.env)
    service.git("init", "-q", "-b", "main")
    identify(service, "team")
    service.git("add", "--all")
    service.commit("chore: begin")
    return service


def update(service: Sample, *options: str) -> Ran:
    return service.run("copier", "update", "--defaults", *options)


def test_copier_loses_edits_of_what_the_template_renames_or_deletes(
    service: Sample,
) -> None:
    """When this fails, copier has learnt it."""
    team(service)

    ran = update(service)

    assert ran.code == 0, ran.all  # For all that there is a conflict.
    check_work(service)
    assert not (service.root / OLD.format("acme")).exists()
    assert OURS not in service.read(NEW.format("acme"))
    assert not (service.root / DELETED).exists()
    assert "copier has deleted what the\ntemplate renamed or deleted" in ran.err


def test_copier_can_save_what_it_deletes_beside_it_and_brings_the_readme_back(
    service: Sample,
) -> None:
    team(service)
    service.git("rm", "-q", "README.md")
    service.commit("docs: go without")

    assert update(service, "--conflict", "rej").code == 0

    for path in (OLD.format("acme"), DELETED):
        assert OURS in service.read(f"{path}.rej")
    assert service.read("README.md").startswith("# Acme\n")


def test_copier_fails_without_the_template(service: Sample) -> None:
    before = service.picture()
    service.origin.rename(service.origin.with_name("gone.git"))
    assert update(service).code != 0
    assert service.picture() == before


def test_the_two_may_take_turns(releases: Sample, service: Sample) -> None:
    """Copier goes on from what the tool made, without the lock; the tool from its."""
    turned = by_tool(releases, "turned", "--version", "v0.1.0", "--package", "acme")
    turned.env = releases.env
    assert update(turned).code == 0
    assert turned.run("uv", "lock", "--check", "-q").code != 0
    assert service.trunkline("template", "update").code == 0
    for one in (turned, service):
        assert one.run("uv", "lock", "-q").code == 0
        one.git("add", "--all")
    assert turned.git("write-tree") == service.git("write-tree")
