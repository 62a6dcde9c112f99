"""This repository's own workflows, run for a small service on real parts.

Real git, container engine and registry; GitHub's API is a stand-in, and `gh` does
nothing. What the tests of the service would do is left to `true`.
"""

import shutil
from collections.abc import Iterator

import pytest

from githubs import TOKEN, FakeGitHub, github_api
from samples import REPOSITORY, Ran
from services import Service

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("engine")]

GATES = "".join(
    f"{name} = false\n" for name in ("format", "lint", "types", "imports", "coverage")
)
JOBS = 'tests.command = "true"\naudit.command = "true"\nstyle.command = "true"\n'
MAKEFILE = """\
setup:
	@uv sync --quiet
test-postgres: setup
	@true
"""


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with github_api() as fake:
        yield fake


@pytest.fixture
def pipeline(service: Service) -> Service:
    """The service with the real workflows and actions, pushed as main."""
    sample = service.sample
    for folder in (".github", "github"):
        shutil.copytree(REPOSITORY / folder, sample.root / folder)
    project = sample.read("pyproject.toml")
    sample.write("pyproject.toml", f"{project}\n[tool.trunkline.gates]\n{GATES}{JOBS}")
    sample.write("Makefile", MAKEFILE)
    sample.git("add", "-A")
    sample.commit("ci: take the template's workflows")
    sample.push()
    programs = sample.root.parent / "programs"
    programs.mkdir()
    (programs / "gh").write_text("#!/bin/sh\nexit 0\n")
    (programs / "gh").chmod(0o755)
    sample.env["PATH"] = f"{programs}:{sample.env['PATH']}"
    sample.env.pop("VIRTUAL_ENV", None)
    return service


def ci(service: Service, *arguments: str, github: FakeGitHub | None = None) -> Ran:
    """Run what an event starts; with `github`, what asks GitHub, too."""
    there = {"GITHUB_REPOSITORY": "acme/my-app"}
    if github:
        there |= {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github.url}
    image = f"TRUNKLINE_IMAGE={service.registry.name}"
    return service.sample.trunkline("ci", "--var", image, *arguments, **there)


def results(ran: Ran) -> dict[str, str]:
    """Read the report: each job and how it ended."""
    names = (
        *("Test", "Lint", "Security Audit", "Docker Build", "Check Tag", "Bump"),
        *("Attest", "GitHub Release", "Prune"),
    )
    found = {}
    for line in ran.out.splitlines():
        name, _, rest = line.strip().partition("  ")
        if name in names and rest:
            found[name] = rest.split()[0]
    return found


def test_a_pushed_branch_is_checked_and_has_its_image(pipeline: Service) -> None:
    sample = pipeline.sample
    sample.git("checkout", "-q", "-b", "feat/login-button")
    sample.commit("feat: a button")
    ran = ci(pipeline)
    assert ran.code == 0, ran.all
    assert results(ran) == dict.fromkeys(
        ("Test", "Lint", "Security Audit", "Docker Build"), "success"
    )
    tags = pipeline.tags()
    assert set(tags) == {pipeline.head, "feat-login-button"}
    assert len(set(tags.values())) == 1


def test_a_pull_request_builds_and_tests_its_image_and_pushes_nothing(
    pipeline: Service,
) -> None:
    sample = pipeline.sample
    sample.git("checkout", "-q", "-b", "feat/login-button")
    sample.commit("feat: a button")
    event = ("--event", "pull_request", "--workflow", "pull-request")
    ran = ci(pipeline, *event)
    assert ran.code == 0, ran.all
    assert set(results(ran).values()) == {"success"}
    assert "green" in ran.out
    assert pipeline.tags() == {}
    sample.commit("a message in no form")
    ran = ci(pipeline, *event, "--job", "lint")
    assert (ran.code, results(ran)) == (1, {"Lint": "failure"})


def test_a_red_check_does_not_keep_a_branch_from_staging_but_a_release_back(
    pipeline: Service,
) -> None:
    sample = pipeline.sample
    text = sample.read("pyproject.toml").replace(
        'tests.command = "true"', 'tests.command = "false"'
    )
    sample.commit("feat: break a test", {"pyproject.toml": text})
    ran = ci(pipeline)
    assert ran.code == 1
    assert results(ran)["Test"] == "failure"
    assert results(ran)["Docker Build"] == "success"
    sample.push()
    sample.bump()
    ran = ci(pipeline, "--ref", "refs/tags/v0.1.0")
    assert results(ran)["Docker Build"] == "skipped"
    assert "0.1.0" not in pipeline.tags()


def test_a_pushed_version_gets_its_images_and_its_page(
    pipeline: Service, github: FakeGitHub
) -> None:
    pipeline.sample.bump()
    ran = ci(pipeline, "--ref", "refs/tags/v0.1.0", github=github)
    assert ran.code == 0, ran.all
    assert results(ran) == {
        **dict.fromkeys(("Test", "Check Tag", "Docker Build"), "success"),
        "GitHub Release": "success",
        "Bump": "skipped",
        "Attest": "skipped",
    }
    tags = pipeline.tags()
    assert set(tags) == {pipeline.head, "0.1.0", "latest"}
    assert len(set(tags.values())) == 1
    assert github.latest == "v0.1.0"


def test_a_version_that_was_published_is_left_as_it_is_by_another_run(
    pipeline: Service, github: FakeGitHub
) -> None:
    pipeline.sample.bump()
    for _ in range(2):
        ran = ci(pipeline, "--ref", "refs/tags/v0.1.0", github=github)
        assert ran.code == 0, ran.all
    assert "nothing is built" in ran.out
    assert "v0.1.0: as it should be" in ran.out
    assert len(github.written) == 1


def test_a_tag_made_by_hand_is_not_published(pipeline: Service) -> None:
    pipeline.sample.git("tag", "v9.9.9")
    ran = ci(pipeline, "--ref", "refs/tags/v9.9.9")
    assert ran.code == 1
    assert results(ran)["Check Tag"] == "failure"
    assert results(ran)["Docker Build"] == "skipped"
    assert pipeline.tags() == {}


def test_a_manual_run_bumps_pushes_and_publishes_in_one_workflow(
    pipeline: Service, github: FakeGitHub
) -> None:
    sample = pipeline.sample
    form = ("--event", "workflow_dispatch", "--workflow", "release.yml")
    ran = ci(pipeline, *form, "--input", "prerelease=alpha", github=github)
    assert ran.code == 0, ran.all
    assert results(ran)["Bump"] == "success"
    assert results(ran)["Check Tag"] == "skipped"
    assert "0.1.0-alpha.0" in pipeline.tags()
    assert "latest" not in pipeline.tags()
    assert github.releases["v0.1.0-alpha.0"]["prerelease"] is True
    # The run worked on a copy of the remote.
    assert "refs/tags/v0.1.0-alpha.0" not in sample.remote_refs()


def test_a_manual_run_with_nothing_to_release_publishes_nothing(
    pipeline: Service, github: FakeGitHub
) -> None:
    pipeline.sample.bump()
    pipeline.sample.commit("docs: nothing that raises a version")
    form = ("--event", "workflow_dispatch", "--workflow", "release.yml")
    ran = ci(pipeline, *form, github=github)
    assert ran.code == 0, ran.all
    assert results(ran)["Docker Build"] == "skipped"
    assert pipeline.tags() == {}


def test_a_deleted_branch_loses_its_image_and_the_others_keep_theirs(
    pipeline: Service,
) -> None:
    sample = pipeline.sample
    old = {"GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z"}
    sample.git("checkout", "-q", "-b", "feat/gone")
    sample.run("git", "commit", "-q", "--allow-empty", "-m", "feat: gone", **old)
    gone = pipeline.head
    assert ci(pipeline, "--workflow", "branch", "--job", "docker").code == 0
    sample.git("checkout", "-q", "main")
    assert ci(pipeline, "--workflow", "branch", "--job", "docker").code == 0
    assert set(pipeline.tags()) == {gone, "feat-gone", pipeline.head, "main"}
    sample.git("branch", "-q", "-D", "feat/gone")
    ran = ci(pipeline, "--event", "delete", "--ref", "refs/heads/feat/gone")
    assert ran.code == 0, ran.all
    assert set(pipeline.tags()) == {pipeline.head, "main"}


def test_a_deleted_tag_deletes_nothing(pipeline: Service) -> None:
    ran = ci(pipeline, "--event", "delete", "--ref", "refs/tags/v1.0.0")
    assert (ran.code, results(ran)) == (0, {"Prune": "skipped"})
