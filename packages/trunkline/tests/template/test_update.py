"""From one release of the template to the next, with a team's edits in between.

The template really is released, by `trunkline release`. Between v0.1.0 and v0.2.0 it
edits, renames, deletes and adds files and a dependency; the team edits the same line,
another region, the file that is renamed and the one that is deleted, adds a dependency
of its own, and deletes a file.
"""

import shutil
from pathlib import Path

import pytest
from copier import run_update

from generated import by_copier, by_tool
from samples import Sample, environment

pytestmark = pytest.mark.slow

RECORDS = "docs/decisions/"
DELETED = f"{RECORDS}0003-errors-and-request-ids.md"
DELETED_BY_TEAM = f"{RECORDS}0001-one-asgi-middleware.md"
OLD, NEW = "src/{}/core/platform/hosts.py", "src/{}/core/platform/trusted.py"
LINE = "A branch lives a day or two"


def edit(sample: Sample, path: str, old: str, new: str) -> None:
    text = sample.read(path)
    assert old in text, f"{path} has no {old!r}"
    sample.write(path, text.replace(old, new))


def release(upstream: Sample) -> None:
    """Commit what was changed, with its manifest, and release it."""
    ran = upstream.run("python", ".template/manifest.py", UV_OFFLINE="0")
    assert ran.code == 0, ran.all
    upstream.git("add", "--all")
    upstream.commit("feat: go on")
    upstream.push()
    ran = upstream.trunkline("release", "--yes", UV_OFFLINE="0")
    assert ran.code == 0, ran.all


def go_on(upstream: Sample) -> None:
    """Make the template's next version."""
    edit(upstream, "CONTRIBUTING.md", LINE, "A branch of the template lives a day")
    edit(upstream, DELETED_BY_TEAM, "## Context\n", "## Context\nMore.\n")
    home = upstream.read("src/my_app/core/platform/home.py")
    upstream.write("src/my_app/core/platform/home.py", f"# Of the template.\n{home}")
    upstream.git("mv", OLD.format("my_app"), NEW.format("my_app"))
    edit(upstream, "src/my_app/core/app.py", "platform.hosts", "platform.trusted")
    upstream.git("rm", "-q", DELETED)
    upstream.write("src/my_app/core/platform/fresh.py", '"""New in my_app."""\n')
    edit(
        upstream,
        "pyproject.toml",
        'dependencies = [\n    "f',
        'dependencies = [\n    "anyio>=4",\n    "f',
    )
    assert upstream.run("uv", "lock", "-q", UV_OFFLINE="0").code == 0
    release(upstream)


@pytest.fixture(scope="session")
def released_folder(
    upstream_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Folder with the template released as v0.1.0 and v0.2.0."""
    folder = tmp_path_factory.mktemp("releases")
    shutil.copytree(upstream_template, folder, symlinks=True, dirs_exist_ok=True)
    upstream = Sample(folder / "work", folder / "origin.git", environment(folder))
    upstream.git("tag", "-d", "v0.1.0")
    upstream.git("push", "-q", "--delete", "origin", "v0.1.0")
    release(upstream)
    go_on(upstream)
    assert upstream.git("tag").split() == ["v0.1.0", "v0.2.0"]
    return folder


@pytest.fixture
def releases(released_folder: Path, tmp_path: Path) -> Sample:
    """The template with both releases."""
    shutil.copytree(released_folder, tmp_path, symlinks=True, dirs_exist_ok=True)
    env = environment(tmp_path, XDG_CACHE_HOME=str(tmp_path), UV_OFFLINE="0")
    return Sample(tmp_path / "work", tmp_path / "origin.git", env)


def team(service: Sample) -> None:
    """Make the six edits, and some in files that are the team's anyway."""
    edit(service, "CONTRIBUTING.md", LINE, "A branch of ours lives a week")
    for path in ("src/acme/core/platform/home.py", OLD.format("acme"), DELETED):
        service.write(path, service.read(path) + "# Ours.\n")
    service.git("rm", "-q", DELETED_BY_TEAM)
    service.write("src/acme/ours.py", '"""Unlike my_app."""\n')
    service.write("README.md", "# Ours\n")
    ran = service.run("uv", "add", "-q", "--no-sync", "idna>=1")
    assert ran.code == 0, ran.all
    service.git("add", "--all")
    service.commit("feat: make it ours")


def check_work(service: Sample) -> None:
    """What either door leaves in place."""
    conflict = service.read("CONTRIBUTING.md")
    assert "A branch of ours lives a week" in conflict
    assert "A branch of the template lives a day" in conflict
    assert "<<<<<<<" in conflict
    assert service.git("diff", "--name-only", "--diff-filter=U") == "CONTRIBUTING.md"
    home = service.read("src/acme/core/platform/home.py")
    assert home.startswith("# Of the template.\n")
    assert home.endswith("# Ours.\n")
    assert not (service.root / DELETED_BY_TEAM).exists()
    assert service.read("src/acme/ours.py") == '"""Unlike my_app."""\n'
    assert service.read("src/acme/core/platform/fresh.py") == '"""New in acme."""\n'
    assert service.read("README.md") == "# Ours\n"
    project = service.read("pyproject.toml")
    assert '"anyio>=4"' in project
    assert '"idna>=1"' in project
    assert service.version == "0.0.0"
    assert '_commit: "v0.2.0"' in service.read(".copier-answers.yml")


def test_the_tool_loses_nothing(releases: Sample) -> None:
    service = by_tool(releases, "acme", "--version", "v0.1.0")
    service.env = releases.env
    team(service)

    ran = service.trunkline("template", "update")

    assert ran.code == 1, ran.all
    check_work(service)
    assert service.read(NEW.format("acme")).endswith("# Ours.\n")
    assert not (service.root / OLD.format("acme")).exists()
    assert service.read(DELETED).endswith("# Ours.\n")
    assert ran.out.splitlines() == [
        "  conflict  CONTRIBUTING.md",
        f"  kept      {DELETED}: dropped by the template but changed by you",
        f"  deleted   {DELETED_BY_TEAM}: changed by the template but deleted by you",
        "template v0.2.0: 1 conflicts",
    ]
    assert service.run("uv", "lock", "--check", "-q").code == 0
    assert service.git("for-each-ref", "refs/template") == ""


def test_copier_loses_edits_of_what_the_template_renames_or_deletes(
    releases: Sample,
) -> None:
    """As docs/template.md says; when this fails, copier has learnt it."""
    folder = by_copier(releases, "acme", {"title": "Acme"}, at="v0.1.0")
    service = Sample(folder, releases.origin, releases.env)
    service.git("init", "-q", "-b", "main")
    service.git("config", "user.name", "team")
    service.git("config", "user.email", "team@example.com")
    service.git("add", "--all")
    service.commit("chore: begin")
    team(service)

    run_update(folder, defaults=True, overwrite=True, quiet=True)

    check_work(service)
    assert not (service.root / OLD.format("acme")).exists()
    assert "# Ours." not in service.read(NEW.format("acme"))
    assert not (service.root / DELETED).exists()
