"""A service of an earlier version, which holds a copy of the tool, is moved over."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from samples import REPOSITORY, Sample, copied, environment, identify
from trunkline.template.render import PLACE

pytestmark = pytest.mark.slow

# The last commit whose services hold a copy of the tool.
COPIED = "d4f8051801b7a65099a84dd5f61bcef6f3dfca3b"
EDITED = f"{PLACE}/src/trunkline/versions.py"


def git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", REPOSITORY, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else ""


@pytest.fixture(scope="session")
def history(upstream_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template with that commit as v0.1.0 and the live files as v0.2.0."""
    tree = git("rev-parse", "--verify", "--quiet", f"{COPIED}^{{tree}}")
    if not tree:
        if os.environ.get("CI"):
            pytest.fail(f"{COPIED[:12]} is missing; expected a clone with its history")
        pytest.skip(f"the clone is shallow: {COPIED[:12]} is missing")
    folder = tmp_path_factory.mktemp("history")
    upstream = copied(upstream_template, folder)
    upstream.git("fetch", "-q", str(REPOSITORY), COPIED)
    upstream.git("tag", "-d", "v0.1.0")
    old = upstream.git("commit-tree", tree, "-m", "feat: begin")
    new = upstream.git("commit-tree", "HEAD^{tree}", "-p", old, "-m", "feat: go on")
    upstream.git("reset", "-q", "--hard", new)
    upstream.git("tag", "-a", "-m", "v0.1.0", "v0.1.0", old)
    upstream.git("tag", "-a", "-m", "v0.2.0", "v0.2.0", new)
    upstream.git("push", "-q", "--force", "origin", "main", "v0.1.0", "v0.2.0")
    return folder


@pytest.fixture(scope="session")
def old_tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tool of that commit, in a folder of its own."""
    folder = tmp_path_factory.mktemp("old")
    archive = folder / "tool.tar"
    git("archive", f"--output={archive}", COPIED, f"{PLACE}/src")
    shutil.unpack_archive(archive, folder, filter="data")
    return folder / PLACE / "src"


@pytest.fixture
def service(history: Path, old_tool: Path, tmp_path: Path) -> Sample:
    """A service that the earlier tool has made of the earlier version."""
    upstream = copied(history, tmp_path)
    env = environment(tmp_path, XDG_CACHE_HOME=str(tmp_path), UV_OFFLINE="0")
    place = Sample(tmp_path, upstream.origin, env)
    made = place.run(
        "python", "-m", "trunkline", "template", "new", "acme", "--version", "v0.1.0",
        "--from", str(upstream.origin), PYTHONPATH=str(old_tool),
    )  # fmt: skip
    assert made.code == 0, made.all
    service = Sample(tmp_path / "acme", upstream.origin, env)
    identify(service, "team")
    return service


def test_the_tool_that_it_has_names_the_one_that_can(
    service: Sample, old_tool: Path
) -> None:
    before = service.picture()
    argv = ("python", "-m", "trunkline", "template", "update")
    ran = service.run(*argv, PYTHONPATH=str(old_tool))
    assert ran.code == 1
    assert "has format 2; expected 1" in ran.err
    assert "uvx --from" in ran.err
    assert service.picture() == before


def test_a_copied_tool_becomes_a_dependency(service: Sample) -> None:
    # As after any run of the tool: what git ignores stays in its folder.
    cache = service.root / PLACE / "src/trunkline/__pycache__"
    cache.mkdir()
    (cache / "x.pyc").touch()

    ran = service.trunkline("template", "update")

    assert ran.code == 0, ran.all
    assert service.git("ls-files", "packages") == ""
    assert "kept" not in ran.out
    project = service.read("pyproject.toml")
    assert (
        f'trunkline = {{ git = "{service.origin.as_uri()}", tag = "v0.2.0"' in project
    )
    assert service.run("uv", "lock", "--check", "-q").code == 0


def test_an_edited_copy_is_kept_and_listed_and_is_no_member(service: Sample) -> None:
    service.write(EDITED, service.read(EDITED) + "# Ours.\n")
    service.write(f"{PLACE}/src/trunkline/ours.py", "")
    service.git("add", "--all")
    service.commit("feat: change the tool")

    ran = service.trunkline("template", "update")

    assert ran.code == 0, ran.all
    assert f"  kept      {EDITED}: dropped by the template but changed" in ran.out
    assert service.read(EDITED).endswith("# Ours.\n")
    assert (service.root / PLACE / "src/trunkline/ours.py").exists()
    assert f'exclude = ["{PLACE}"]' in service.read("pyproject.toml")
    assert service.run("uv", "lock", "--check", "-q").code == 0
