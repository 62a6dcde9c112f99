"""`trunkline release --package`: real git, real uv, a service with a micropackage."""

from pathlib import Path

import pytest

from githooks import install_hook, protect
from samples import Ran, Sample
from trunkline.releases.member import increment, raised
from trunkline.versions import Version
from workspaces import build_members, copy_service

FILE = "packages/rules/src/rules/__init__.py"
RELEASE = ("release", "--package", "rules")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a service and its micropackage `rules`, never published."""
    return build_members(tmp_path_factory.mktemp("service"), "rules")


@pytest.fixture
def service(built: Path, tmp_path: Path) -> Sample:
    """A fresh copy of the service."""
    return copy_service(built, tmp_path)


def released(service: Sample, *options: str) -> str:
    """Release, which must succeed; returns the newest tag on the remote."""
    ran = service.trunkline(*RELEASE, *options)
    assert ran.code == 0, ran.all
    refs = service.remote_refs()
    tag = max(ref for ref in refs if ref.startswith("refs/tags/"))
    assert refs[tag] == refs["refs/heads/main"] == service.git("rev-parse", "HEAD")
    return tag.removeprefix("refs/tags/")


def refused(ran: Ran, rule: str) -> str:
    assert ran.code == 1, ran.all
    assert f"rule `{rule}`" in ran.err, ran.all
    return ran.err.rpartition("type next: ")[2].strip()


def test_versions_of_a_micropackage_follow_the_commits_that_touch_it(
    service: Sample,
) -> None:
    assert released(service) == "rules-v0.1.0"
    service.commit("feat!: change the service", {"src/my_app/new.py": ""})
    ran = service.trunkline(*RELEASE)
    assert (ran.code, "nothing to release" in ran.out) == (0, True), ran.all
    service.commit("feat(rules): round to the cent", {FILE: "CENT = 1\n"})
    assert released(service) == "rules-v0.2.0"
    assert 'version = "0.2.0"' in service.read("packages/rules/pyproject.toml")
    assert service.run("uv", "lock", "--check").code == 0
    assert service.git("status", "--porcelain") == ""
    said = service.git("tag", "-l", "--format=%(contents)", "rules-v0.2.0")
    assert said == "rules 0.2.0\n\n- feat(rules): round to the cent"
    assert service.git("cat-file", "-t", "rules-v0.2.0") == "tag"
    # What is published is what prod mode takes.
    ran = service.trunkline("packages", "use", "prod", "--dry-run")
    assert (ran.code, "rules-v0.2.0" in ran.out) == (0, True), ran.all


def test_what_the_remote_rejects_is_undone_and_leads_on(service: Sample) -> None:
    released(service)
    service.commit("fix(rules): a bug", {FILE: "BUG = 0\n"})
    service.push()
    before = service.picture()
    protect(service.origin)
    fix = refused(service.trunkline(*RELEASE), "push")
    assert fix == "gh workflow run release.yml --ref main --field package=rules"
    assert service.picture() == before
    assert "refs/tags/rules-v0.1.1" not in service.remote_refs()
    (service.origin / "hooks/update").unlink()
    assert released(service) == "rules-v0.1.1"


def test_a_commit_that_a_hook_refuses_leaves_nothing(service: Sample) -> None:
    released(service)
    service.commit("fix(rules): a bug", {FILE: "BUG = 0\n"})
    before = service.picture()
    install_hook(service.root / ".git", "commit-msg", "exit 1")
    assert service.trunkline(*RELEASE).code == 1
    assert service.picture() == before


def test_a_killed_run_is_finished_by_the_next(service: Sample) -> None:
    released(service)
    service.commit("fix(rules): a bug", {FILE: "BUG = 0\n"})
    kill = 'kill -9 "$(ps -o ppid= $PPID | tr -d " ")"; exit 1'
    install_hook(service.root / ".git", "pre-push", kill)
    assert service.trunkline(*RELEASE).code != 0
    assert "refs/tags/rules-v0.1.1" not in service.remote_refs()
    (service.root / ".git/hooks/pre-push").unlink()
    assert released(service) == "rules-v0.1.1"


def test_the_guards_of_a_release_apply(service: Sample) -> None:
    service.write("notes.txt", "mine")
    service.git("switch", "-q", "-c", "feat/x")
    ran = service.trunkline(*RELEASE)
    refused(ran, "branch")
    refused(ran, "clean")
    ran = service.trunkline("release", "--package", "other")
    assert (ran.code, "expected one of: rules" in ran.err) == (2, True), ran.all


def test_a_package_in_prod_mode_is_refused_with_the_way_to_dev(service: Sample) -> None:
    released(service)
    assert service.trunkline("packages", "use", "prod").code == 0
    fix = refused(service.trunkline(*RELEASE), "dev-mode")
    assert service.run("sh", "-c", fix.removeprefix("uv run ")).code == 0


@pytest.mark.parametrize(
    ("messages", "level"),
    [
        (["docs: tell"], None),
        (["fix: a", "feat: b", "chore: c"], "MINOR"),
        (['Revert "feat: b"'], "PATCH"),
        (["chore: c\n\nBREAKING CHANGE: gone", "feat: b"], "MAJOR"),
    ],
)
def test_the_highest_number_that_a_commit_raises_counts(
    messages: list[str], level: str | None
) -> None:
    assert increment(messages) == level


def test_before_one_a_breaking_change_raises_the_minor() -> None:
    assert raised(Version(0, 2, 3), "MAJOR") == Version(0, 3, 0)
    assert raised(Version(1, 2, 3), "MAJOR") == Version(2, 0, 0)
    assert raised(Version(1, 2, 3), "MINOR") == Version(1, 3, 0)
    assert raised(Version(1, 2, 3), "PATCH") == Version(1, 2, 4)
