"""Packages from git in an audit: real locks, real repositories, real `uv audit`."""

import zipfile
from pathlib import Path

import pytest

from samples import Sample
from workspaces import TEAM, add_member, build_library, build_service, publish

pytestmark = pytest.mark.slow


@pytest.fixture
def service(tmp_path: Path) -> Sample:
    """A service that locks nothing yet, with a folder of wheels beside it."""
    service = build_service(tmp_path)
    build_wheel(tmp_path / "wheels", "rates")
    return service


def build_wheel(folder: Path, name: str) -> None:
    """Put version 1.0 of an empty package into a folder that serves as an index."""
    folder.mkdir()
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr(f"{info}/RECORD", "")


def add_from_git(service: Sample, name: str, *dependencies: str) -> None:
    """Publish a library in a repository of its own, and depend on its tag."""
    library = build_library(service, name, "0.1.0")
    if dependencies:
        project = library.read("pyproject.toml").replace(
            "dependencies = []", f"dependencies = {list(dependencies)}"
        )
        library.commit("feat: need more", {"pyproject.toml": project})
    publish(library, "v1.0.0")
    ran = service.run(
        *("uv", "add", "-q", "--no-sync", "--tag", "v1.0.0"),
        *("--no-index", "--find-links", str(service.root.parent / "wheels")),
        f"{name} @ git+{TEAM}{name}.git",
    )
    assert ran.code == 0, ran.all


def declare(service: Sample, own: str) -> None:
    project = service.read("pyproject.toml")
    service.write("pyproject.toml", f"{project}\n[tool.trunkline.audit]\nown = {own}\n")


def test_the_tool_is_not_on_an_index_but_its_dependencies_are_checked(
    service: Sample, osv: str
) -> None:
    add_from_git(service, "trunkline", "rates")
    ran = service.trunkline("audit", "--service-url", osv)
    assert ran.code == 0, ran.all
    assert "not on an index: trunkline (from git)\n" in ran.out
    assert "no known vulnerabilities" in ran.out


def test_a_vulnerability_below_an_own_package_is_found(
    service: Sample, vulnerable: str
) -> None:
    add_from_git(service, "trunkline", "rates")
    ran = service.trunkline("audit", "--service-url", vulnerable)
    assert ran.code == 1, ran.all
    assert "rates 1.0 has 1 known vulnerability" in ran.out


def test_another_package_from_git_is_not_checked_until_it_is_declared(
    service: Sample, osv: str
) -> None:
    add_from_git(service, "money")
    ran = service.trunkline("audit", "--service-url", osv)
    assert ran.code == 75, ran.all
    assert "NOT CHECKED: money (from git)" in ran.out
    assert "type next: add to pyproject.toml:  (if your team" in ran.out
    lines = '    [tool.trunkline.audit]\n    own = ["money", "trunkline"]\n'
    assert lines in ran.out
    declare(service, '["money", "trunkline"]')
    ran = service.trunkline("audit", "--service-url", osv)
    assert ran.code == 0, ran.all
    assert "not on an index: money" in ran.out


@pytest.mark.parametrize("mode", ["dev", "prod"])
def test_a_micropackage_of_this_repository_needs_no_declaration(
    service: Sample, osv: str, mode: str
) -> None:
    add_member(service, "pricing-rules")
    publish(service, "pricing-rules-v0.1.0")
    ran = service.trunkline("packages", "use", mode)
    assert ran.code == 0, ran.all
    ran = service.trunkline("audit", "--service-url", osv)
    assert ran.code == 0, ran.all
    assert ("not on an index: pricing-rules" in ran.out) == (mode == "prod")


def test_a_declared_name_that_is_not_locked_is_reported(
    service: Sample, osv: str
) -> None:
    declare(service, '["monee"]')
    ran = service.trunkline("audit", "--service-url", osv)
    assert ran.code == 0, ran.all
    assert "own: monee is not in uv.lock; remove it from the list" in ran.out


def test_a_wrong_declaration_stops_the_audit(service: Sample) -> None:
    declare(service, '"money"')
    ran = service.trunkline("audit")
    assert ran.code == 2
    assert "{'own': 'money'}; expected `own`, a list of names" in ran.err
    assert "type next: add to pyproject.toml:\n    [tool.trunkline.audit]\n" in ran.err
    assert '    own = ["trunkline"]\n' in ran.err
