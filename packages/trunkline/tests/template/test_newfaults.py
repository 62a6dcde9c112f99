"""A service is made wholly or not at all, whatever happens to the machine meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from disks import small_disk
from generated import by_copier, by_tool, run_tool, tree
from kills import kill_at_step
from samples import Sample

pytestmark = pytest.mark.slow

NEW = ("trunkline", "template", "new")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", kibibytes=512) as folder:
        yield folder


def place(upstream: Sample, cache: Path) -> Sample:
    """An empty folder, for a command that a test starts itself."""
    folder = upstream.root.parent / "here"
    folder.mkdir()
    env = {**upstream.env, "XDG_CACHE_HOME": str(cache)}
    return Sample(folder, upstream.origin, env)


def test_a_full_disk_holds_no_half_service(upstream: Sample, disk: Path) -> None:
    ran = run_tool(upstream, str(disk / "acme"))
    assert ran.code == 1
    assert "could not be written: No space left on device; nothing was left" in ran.err
    assert list(disk.iterdir()) == []


def test_a_full_disk_holds_no_half_copy_of_the_template(
    upstream: Sample, disk: Path
) -> None:
    here = place(upstream, disk)
    ran = here.trunkline(*NEW[1:], "acme", "--from", str(upstream.origin))
    assert ran.code == 1
    assert "cannot be fetched: " in ran.err
    assert not (here.root / "acme").exists()
    assert [path for path in disk.rglob("*") if path.name.endswith(".git")] == []
    assert list(disk.rglob(".unfinished-*")) == []


# It starts git 14 times.
@pytest.mark.parametrize("step", range(1, 16, 2))
def test_a_killed_run_leaves_a_whole_service_or_none(
    upstream: Sample, tmp_path: Path, step: int
) -> None:
    here = place(upstream, tmp_path)
    command = (*NEW, "acme", "--from", str(upstream.origin))
    killed = kill_at_step(here, step, command, counted=("git",))
    if not (here.root / "acme").exists():
        assert killed
        ran = here.trunkline(*command[1:])
        assert ran.code == 0, ran.all
    service = Sample(here.root / "acme", upstream.origin, upstream.env)
    assert service.git("status", "--porcelain") == ""
    assert service.git("log", "--format=%s") == "feat: begin the service"


@pytest.mark.parametrize("names", [("acme", "acme"), ("acme", "other")])
def test_two_may_be_made_at_once(
    upstream: Sample, tmp_path: Path, names: tuple[str, str]
) -> None:
    """Nothing was fetched before, and in one folder there is room for one."""
    here = place(upstream, tmp_path)
    both = [
        here.start(*NEW, name, "--package", "acme", "--from", str(upstream.origin))
        for name in names
    ]
    said = ["".join(process.communicate()) for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes == ([0, 1] if len(set(names)) == 1 else [0, 0]), said
    assert ("is a folder that is not empty" in "".join(said)) == (codes[1] == 1)
    fresh = by_tool(upstream, "fresh", "--package", "acme")
    for name in set(names):
        assert tree(here.root / name) == tree(fresh.root)
    assert list(here.root.glob(".*.unfinished-*")) == []


def test_without_a_release_both_doors_give_the_default_branch(
    upstream: Sample,
) -> None:
    upstream.git("push", "-q", "--delete", "origin", "v0.1.0")
    address = upstream.origin.as_uri()
    ours = by_tool(upstream, "ours", "--package", "a", "--from", address)
    theirs = by_copier(upstream, "theirs", {"package": "a"}, address=address)
    assert tree(ours.root) == tree(theirs)


def test_the_template_s_own_tool_knows_where_it_comes_from(upstream: Sample) -> None:
    """As docs/template.md says, with nothing installed and without --from."""
    address = upstream.origin.as_uri()
    here = place(upstream, upstream.root.parent)
    where = f"git+{address}#subdirectory=packages/trunkline"
    ran = here.run(
        *("uv", "tool", "run", "--from", where, *NEW, "acme-api"),
        *("--title", "Acme API", "--without", "persistence"),
        UV_OFFLINE="0",
    )
    assert ran.code == 0, ran.all
    answers = (here.root / "acme-api/.copier-answers.yml").read_text()
    assert f'_src_path: "{address}"\n' in answers
    assert "keep_persistence: false\n" in answers
