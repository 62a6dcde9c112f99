"""Two doors, one service: copier and the tool write the same bytes."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from copier.errors import CopierError

from generated import by_copier, by_tool, run_tool, tree
from machinery.locks import choices
from samples import REPOSITORY, Sample, copied
from shared import made_once
from trunkline.template.manifest import PATH, TemplateManifest, parse_manifest

pytestmark = pytest.mark.slow

LONG = "x" * 14 + "_" + "y" * 15
NAMES = [("a", "A"), (LONG, "T" * 40), ("zzz", "z.z -_z"), ("acme_api", "Acme API")]
NAMES += [("my_app_two", "My App Two"), ("app", "My App"), ("my_app", "My App")]
BAD_NAMES = ["", "-x", "1a", "a__b", "é", "Acme", "acme api", "acme-api", "x" * 31]
# Words of Python, of its library, of a dependency, and of this repository.
BAD_NAMES += ["class", "match", "json", "fastapi", "yaml", "tests"]
BIN = Path(sys.executable).parent


def manifest() -> TemplateManifest:
    return parse_manifest((REPOSITORY / PATH).read_bytes())


COMBINATIONS = list(choices(manifest()))


def without(kept: Mapping[str, bool]) -> list[str]:
    """Options of the tool for these answers of copier's."""
    gone = [part.name for part in manifest().parts if not kept[part.question]]
    return [option for name in gone for option in ("--without", name)]


@pytest.mark.parametrize(("package", "title"), NAMES)
def test_both_doors_write_the_same_whatever_the_name(
    upstream: Sample, package: str, title: str
) -> None:
    names = ("--package", package, "--title", title)
    ours = by_tool(upstream, "ours", *names)
    theirs = by_copier(upstream, "theirs", {"package": package, "title": title})
    assert tree(ours.root) == tree(theirs)
    assert ours.git("status", "--porcelain") == ""


@pytest.mark.parametrize("kept", COMBINATIONS, ids=str)
def test_both_doors_write_the_same_whatever_is_left_out(
    upstream: Sample, kept: dict[str, bool]
) -> None:
    ours = by_tool(upstream, "ours", "--package", "b", *without(kept))
    theirs = by_copier(upstream, "theirs", {"package": "b", "title": "B", **kept})
    assert tree(ours.root) == tree(theirs)


@pytest.mark.parametrize(("package", "title"), NAMES[:3])
def test_a_service_is_laid_out_and_sorted_whatever_its_name(
    upstream: Sample, package: str, title: str
) -> None:
    """Formatters and linters judge lines by their length and names by their order."""
    service = by_tool(upstream, "s", "--package", package, "--title", title)
    for gate in (["format", "--check"], ["check"]):
        done = subprocess.run(
            [BIN / "ruff", *gate, "--no-cache"],
            cwd=service.root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def lock_anew(sample: Sample) -> None:
    """Have uv resolve and write the lock file itself: a requirement, and back."""
    before = sample.read("pyproject.toml")
    extra = before.replace("dependencies = [", 'dependencies = [\n    "idna>=1",', 1)
    for text in (extra, before):
        locked = sample.read("uv.lock")
        sample.write("pyproject.toml", text)
        ran = sample.run("uv", "lock", "-q", UV_OFFLINE="0")
        assert ran.code == 0, ran.all
        assert sample.read("uv.lock") != locked


@pytest.fixture(scope="session")
def locked_folder(
    upstream_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Folder with the template as uv locks it here: an index may name no sizes."""

    def make(folder: Path) -> None:
        upstream = copied(upstream_template, folder)
        lock_anew(upstream)
        upstream.git("commit", "-q", "--allow-empty", "--amend", "--all", "--no-edit")
        upstream.git("tag", "-f", "-a", "-m", "v0.1.0", "v0.1.0")
        refs = ("origin", "main", "v0.1.0")
        upstream.git("push", "-q", "--force", "--follow-tags", *refs)

    return made_once(tmp_path_factory, "locked", make)


@pytest.mark.parametrize("kept", COMBINATIONS, ids=str)
@pytest.mark.parametrize("package", ["a", "zzz"])
def test_uv_would_lock_the_same_bytes(
    locked_folder: Path, tmp_path: Path, package: str, kept: dict[str, bool]
) -> None:
    upstream = copied(locked_folder, tmp_path)
    service = by_tool(upstream, "s", "--package", package, *without(kept))
    lock_anew(service)
    assert service.git("status", "--porcelain") == ""


def test_nothing_is_left_of_the_template_s_name_or_history(upstream: Sample) -> None:
    service = by_tool(upstream, "s", "--package", "acme", "--title", "Acme")
    found = service.run("git", "grep", "-niE", "my[-_. ]?app")
    assert found.out == ""
    assert "my" not in " ".join(service.git("ls-files").split("/"))
    assert service.read("CHANGELOG.md") == "# Changelog\n"
    assert service.git("log", "--format=%s") == "feat: begin the service"
    assert service.git("tag") == ""
    assert service.version == "0.0.0"


def test_a_service_with_all_parts_is_small(upstream: Sample) -> None:
    """What a team takes on to own; the lock file is uv's."""
    service = by_tool(upstream, "s", "--package", "acme", "--title", "Acme")
    files = [name for name in service.git("ls-files").splitlines() if name != "uv.lock"]
    assert len(files) <= 160
    assert sum(service.read(name).count("\n") for name in files) <= 12_000
    assert len({name.partition("/")[0] for name in files} | {"uv.lock"}) <= 20


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_will_not_do_leaves_nothing_behind(
    upstream: Sample, name: str
) -> None:
    before = sorted(upstream.root.parent.iterdir())
    ran = run_tool(upstream, "ours", f"--package={name}")
    assert (ran.code, ran.out) == (1, "")
    assert "type next: the same command with --package " in ran.err
    with pytest.raises((CopierError, ValueError), match=r"Try: [a-z]"):
        by_copier(upstream, "theirs", {"package": name})
    made = {path.name for path in upstream.root.parent.iterdir()} - {"trunkline"}
    assert made == {path.name for path in before}


def test_a_folder_with_something_in_it_is_refused(upstream: Sample) -> None:
    ran = run_tool(upstream, "work")
    assert ran.code == 1
    assert "is a folder that is not empty" in ran.err


def test_a_template_that_is_not_there_is_named(upstream: Sample) -> None:
    upstream.origin.rename(upstream.origin.with_name("gone.git"))
    ran = run_tool(upstream, "ours")
    assert ran.code == 1
    assert f"the template file://{upstream.origin} cannot be fetched" in ran.err


def test_without_a_network_the_stored_template_is_used(upstream: Sample) -> None:
    assert run_tool(upstream, "first").code == 0
    upstream.origin.rename(upstream.origin.with_name("gone.git"))
    ran = run_tool(upstream, "second")
    assert ran.code == 0
    assert "continuing with what was fetched before" in ran.err


def test_a_template_that_was_never_released_is_used_as_it_is(upstream: Sample) -> None:
    upstream.git("push", "-q", "--delete", "origin", "v0.1.0")
    service = by_tool(upstream, "ours")
    head = upstream.git("describe", "--always", "--exclude=*")
    assert f'_commit: "{head}"' in service.read(".copier-answers.yml")
