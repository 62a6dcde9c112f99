"""A fresh service does everything at once, for somebody with an empty home."""

import json
import shlex
import uuid

import pytest

from generated import by_tool, fresh, run
from samples import Sample

pytestmark = pytest.mark.slow

SMALLEST = ("--without", "billing", "--without", "persistence")
COMBINATIONS = {
    "all parts": (),
    "no sample feature": ("--without", "billing"),
    "no database": ("--without", "persistence"),
    "no optional part": SMALLEST,
}


@pytest.mark.parametrize("parts", ["no sample feature", "no database"])
def test_a_service_without_one_part_is_green(
    upstream: Sample, packages: dict[str, str], parts: str
) -> None:
    service = fresh(upstream, *COMBINATIONS[parts])
    service.env |= packages
    run(service, "make", "test")
    if parts == "no database":
        # What keeps the journal of deploys is added as the refusal says.
        history = ("uv", "run", "trunkline", "history", "staging")
        refused = service.run(*history)
        assert refused.code == 1, refused.all
        run(service, *shlex.split(refused.err.rpartition("type next: ")[2]))
        run(service, *history)


@pytest.mark.parametrize("parts", ["all parts", "no optional part"])
def test_a_fresh_service_is_green_and_can_be_released(
    upstream: Sample, packages: dict[str, str], parts: str
) -> None:
    service = fresh(upstream, *COMBINATIONS[parts])
    if parts != "all parts":  # That one has to fetch everything itself.
        service.env |= packages
    # Its image has a test of its own below; its images' tests are those run here.
    service.env["DOCKER_HOST"] = "unix:///nowhere"
    service.env.pop("CI", None)

    run(service, "make", "check")
    assert service.git("status", "--porcelain") == ""

    run(service, "uv", "run", "cz", "bump", "--yes")
    assert service.version == "0.1.0"
    assert service.git("tag") == "v0.1.0"
    assert service.read("CHANGELOG.md").startswith("# Changelog\n\n## v0.1.0")
    service.git("init", "-q", "--bare", "-b", "main", "../remote.git")
    service.git("remote", "add", "origin", "../remote.git")
    run(service, "git", "push", "-q", "-u", "--follow-tags", "origin", "main")

    told = run(service, "uv", "run", "trunkline", "tags", "v0.1.0", "--json")
    names = [tag["name"] for tag in json.loads(told)["tags"]]
    assert names[1:] == ["0.1.0", "latest"]


@pytest.mark.parametrize("package", ["app", "enable", "trunk_line"])
def test_a_service_is_green_whatever_its_name_resembles(
    upstream: Sample, packages: dict[str, str], package: str
) -> None:
    """Names near `APP_`, `ENABLE_`, folders of the platform, or other spellings."""
    service = fresh(upstream, "--package", package, "--title", "A service")
    service.env |= packages
    run(service, "make", "test", "PYTEST_ADDOPTS=--no-cov")


@pytest.mark.parametrize("options", [SMALLEST, ()], ids=["smallest", "largest"])
def test_a_fresh_service_is_built_as_an_image(
    upstream: Sample, engine: None, options: tuple[str, ...]
) -> None:
    service = fresh(upstream, *options)
    name = f"acme-api-{uuid.uuid4().hex[:8]}"
    try:
        bases = ("--build-arg=PYTHON_IMAGE", "--build-arg=UV_IMAGE")
        run(service, "docker", "build", "--quiet", *bases, "--tag", name, ".")
        usage = run(service, "docker", "run", "--rm", name, "acme-api", "--help")
        assert "usage: acme-api" in usage
    finally:
        service.run("docker", "image", "rm", "--force", name)


def test_nothing_in_a_service_tells_of_the_machine_it_was_made_on(
    upstream: Sample,
) -> None:
    service = by_tool(upstream, "acme-api")
    found = service.run("git", "grep", "-lF", "-e", str(upstream.root.parent))
    # The address of the template, which is the tool's as well.
    assert found.out.split() == [".copier-answers.yml", "pyproject.toml", "uv.lock"]
