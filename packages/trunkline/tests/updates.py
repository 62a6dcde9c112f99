"""Two releases of the template, and what a team does between them.

The template really is released, by `trunkline release`. Between v0.1.0 and v0.2.0 it
edits, renames, deletes and adds files and a dependency; the team edits the same line,
another region, the file that is renamed and the one that is deleted, adds a dependency
of its own, and deletes a file.
"""

from generated import by_tool
from samples import Sample

DELETED = ".github/zizmor.yml"
DELETED_BY_TEAM = "docs/decisions/0001-one-asgi-middleware.md"
OLD, NEW = "src/{}/core/platform/http/hosts.py", "src/{}/core/platform/http/trusted.py"
PAGE = "src/{}/core/platform/operations/landing_page.py"
FRESH = "src/acme/core/platform/fresh.py"
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
    home = upstream.read(PAGE.format("my_app"))
    upstream.write(PAGE.format("my_app"), f"# Of the template.\n{home}")
    upstream.git("mv", OLD.format("my_app"), NEW.format("my_app"))
    edit(upstream, "src/my_app/core/app.py", "http.hosts", "http.trusted")
    upstream.git("rm", "-q", DELETED)
    upstream.write("src/my_app/core/platform/fresh.py", '"""New in my_app."""\n')
    begin = "\ndependencies = [\n"
    edit(upstream, "pyproject.toml", begin, f'{begin}    "anyio>=4",\n')
    assert upstream.run("uv", "lock", "-q", UV_OFFLINE="0").code == 0
    release(upstream)


def team(service: Sample) -> None:
    """Make the six edits, and some in files that are the team's anyway."""
    edit(service, "CONTRIBUTING.md", LINE, "A branch of ours lives a week")
    for path in (PAGE.format("acme"), OLD.format("acme"), DELETED):
        service.write(path, service.read(path) + "# Ours.\n")
    service.git("rm", "-q", DELETED_BY_TEAM)
    service.write("src/acme/ours.py", '"""Unlike my_app."""\n')
    service.write("README.md", "# Ours\n")
    ran = service.run("uv", "add", "-q", "--no-sync", "idna>=1")
    assert ran.code == 0, ran.all
    service.git("add", "--all")
    service.commit("feat: make it ours")


def acme(releases: Sample, version: str = "v0.1.0") -> Sample:
    """Make a service of a release, with nothing of its own."""
    service = by_tool(releases, "acme", "--version", version)
    service.env = releases.env
    return service


def check_work(service: Sample) -> None:
    """What either door leaves in place."""
    conflict = service.read("CONTRIBUTING.md")
    assert "A branch of ours lives a week" in conflict
    assert "A branch of the template lives a day" in conflict
    assert "<<<<<<<" in conflict
    assert service.git("diff", "--name-only", "--diff-filter=U") == "CONTRIBUTING.md"
    home = service.read(PAGE.format("acme"))
    assert home.startswith("# Of the template.\n")
    assert home.endswith("# Ours.\n")
    assert not (service.root / DELETED_BY_TEAM).exists()
    assert service.read("src/acme/ours.py") == '"""Unlike my_app."""\n'
    assert service.read(FRESH) == '"""New in acme."""\n'
    assert service.read("README.md") == "# Ours\n"
    project = service.read("pyproject.toml")
    assert '"anyio>=4"' in project
    assert '"idna>=1"' in project
    assert service.version == "0.0.0"
    assert '_commit: "v0.2.0"' in service.read(".copier-answers.yml")
