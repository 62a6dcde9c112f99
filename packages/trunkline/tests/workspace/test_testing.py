"""`trunkline packages test`: real git, real uv, the real pytest of this environment."""

from dataclasses import replace
from pathlib import Path

import pytest

from samples import Sample
from trunkline.git import Repository
from trunkline.workspace.members import members
from trunkline.workspace.testing import BASE, changed
from workspaces import build_members, copy_service, offer_packages, publish, use

TEST = "packages/rules/tests/test_rules.py"
UNKNOWN = "0" * 40


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a service and its micropackages `other` and `rules`."""
    return build_members(tmp_path_factory.mktemp("service"), "other", "rules")


@pytest.fixture
def service(built: Path, tmp_path: Path) -> Sample:
    """A fresh copy of the service."""
    return copy_service(built, tmp_path)


def changed_names(service: Sample, since: str = "origin/main") -> list[str]:
    found = changed(Repository.find(service.root), members(service.root), since)
    return [member.name for member in found]


def run(service: Sample, *argv: str) -> None:
    ran = service.run(*argv)
    assert ran.code == 0, ran.all


@pytest.mark.slow
def test_a_dependency_that_only_the_service_has_fails_until_it_is_declared(
    service: Sample,
) -> None:
    offer_packages(service, "tomlkit")
    run(service, "uv", "add", "-q", "tomlkit")
    # Neither these nor the service's settings of pytest are the package's.
    service.write("conftest.py", "raise RuntimeError\n")
    service.write(TEST, "import rules, tomlkit\n\ndef test_it(): assert rules\n")
    ran = service.trunkline("packages", "test")
    assert (ran.code, "No module named pytest" in ran.err) == (1, True), ran.all
    assert "uv add --package rules --dev pytest" in ran.err
    run(service, "uv", "add", "-q", "--package", "rules", "--dev", "pytest")
    ran = service.trunkline("packages", "test", "--changed-since", "origin/main")
    assert (ran.code, "No module named 'tomlkit'" in ran.out) == (1, True), ran.all
    assert "type next: uv run trunkline packages test rules" in ran.err
    run(service, "uv", "add", "-q", "--package", "rules", "tomlkit")
    ran = service.trunkline("packages", "test", "rules")
    assert (ran.code, "1 passed" in ran.out) == (0, True), ran.all
    assert "tested alone: rules" in ran.out


def test_a_change_in_its_folder_counts_committed_or_not(service: Sample) -> None:
    service.commit("fix: the service", {"src/my_app/new.py": ""})
    assert changed_names(service) == []
    service.write("packages/other/new.py", "")
    assert changed_names(service) == ["other"]
    service.commit("fix(rules): a bug", {"packages/rules/new.py": ""})
    assert changed_names(service) == ["other", "rules"]
    assert changed_names(service, "HEAD") == ["other"]


def test_a_submodule_that_is_at_another_commit_counts(service: Sample) -> None:
    link = f"160000,{service.git('rev-parse', 'HEAD')},packages/money"
    service.git("update-index", "--add", "--cacheinfo", link)
    service.git("commit", "-q", "-m", "build: take the new money")
    (service.root / "packages/money").mkdir()
    money = replace(members(service.root)[0], folder="packages/money")
    repository = Repository.find(service.root)
    assert changed(repository, [money], "HEAD^") == [money]


def test_what_others_changed_since_the_branch_began_does_not_count(
    service: Sample,
) -> None:
    service.git("branch", "feat/x")
    service.commit("fix(other): a bug", {"packages/other/new.py": ""})
    service.git("switch", "-q", "feat/x")
    service.commit("fix(rules): a bug", {"packages/rules/new.py": ""})
    assert changed_names(service, "main") == ["rules"]


def test_a_changed_lock_counts_for_all_because_they_are_tested_with_it(
    service: Sample,
) -> None:
    lock = service.read("uv.lock")
    service.commit("build: update", {"uv.lock": f"{lock}\n"})
    assert changed_names(service) == ["other", "rules"]


@pytest.mark.parametrize("base", [UNKNOWN, "nowhere", "--all"])
def test_where_the_base_is_unknown_every_package_is_tested(
    service: Sample, base: str
) -> None:
    assert changed_names(service, base) == ["other", "rules"]
    said = service.trunkline("packages", "test", **{BASE: base}).err
    assert f"`{base}` is not in this clone" in said
    assert "rules: packages/rules has no tests" in said


def test_without_a_changed_package_there_is_nothing_to_do(service: Sample) -> None:
    ran = service.trunkline("packages", "test", **{BASE: "HEAD"})
    assert (ran.code, ran.out, ran.err) == (0, "tested alone: nothing\n", "")


def test_what_the_service_takes_from_a_tag_is_tested_in_dev_mode(
    service: Sample,
) -> None:
    publish(service, "rules-v0.1.0")
    use(service, "prod", "rules")
    service.git("commit", "-qam", "build(rules): use version 0.1.0")
    ran = service.trunkline("packages", "test")
    assert (ran.code, "rules" in ran.all) == (0, False), ran.all
    ran = service.trunkline("packages", "test", "rules")
    assert (ran.code, "rule `dev-mode`" in ran.err) == (1, True), ran.all
    assert "uv run trunkline packages use dev rules" in ran.err
    # There it counts as changed.
    use(service, "dev", "rules")
    assert changed_names(service, "HEAD") == ["other", "rules"]


def test_a_name_that_is_no_package_is_refused(service: Sample) -> None:
    ran = service.trunkline("packages", "test", "rulez")
    assert (ran.code, "expected one of other, rules" in ran.err) == (2, True), ran.all
