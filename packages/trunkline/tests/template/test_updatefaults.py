"""An update on a bad day: no room, no uv, no later release's packages, two at once."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest

from disks import fill, small_disk
from generated import tree
from samples import Sample
from seeds import STRIDE
from updates import DELETED, acme, release, team

pytestmark = pytest.mark.slow

BIG = "docs/big.md"
LISTED = f"  kept      {DELETED}: dropped by the template but changed by you"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", kibibytes=14_000) as folder:
        yield folder


def on_disk(service: Sample, disk: Path) -> Sample:
    """Put a copy of a service on a disk of its own, in place of the one before."""
    subprocess.run(["rm", "-rf", *disk.iterdir()], check=True)
    copytree(service.root, disk / "acme", symlinks=True)
    return Sample(disk / "acme", service.origin, service.env)


def test_an_update_on_a_full_disk_is_finished_when_there_is_room(
    releases: Sample, disk: Path
) -> None:
    service = acme(releases)
    team(service)
    # Small in git's own form, large in the working tree.
    releases.write(BIG, "a line\n" * 60_000)
    release(releases)
    calm = on_disk(service, disk)
    assert "1 conflict" in calm.trunkline("template", "update").out
    wanted = tree(calm.root), calm.git("ls-files", "--stage")

    seen = []
    for room in (8, *range(500, 1_300, 50 * STRIDE)):
        cramped = on_disk(service, disk)
        filling = fill(disk, but=room)
        ran = cramped.trunkline("template", "update")
        assert ran.code == 1
        assert "unexpected" not in ran.err
        seen.append(ran.err)
        filling.unlink()
        if "uv.lock is not" in ran.err:
            assert LISTED in ran.out
            cramped.run("sh", "-c", "uv lock -q && git add uv.lock")
        elif "1 conflict" not in ran.out:
            assert "1 conflict" in cramped.trunkline("template", "update").out
        assert (tree(cramped.root), cramped.git("ls-files", "--stage")) == wanted
    assert any("could not all be written" in said for said in seen)


def test_what_was_kept_is_listed_where_uv_cannot_lock(
    releases: Sample, tmp_path: Path
) -> None:
    """As without a network, and with a new dependency of the template."""
    service = acme(releases)
    team(service)
    nothing = {"UV_OFFLINE": "1", "UV_CACHE_DIR": str(tmp_path / "empty")}
    ran = service.run("trunkline", "template", "update", **nothing)
    assert ran.code == 1
    assert LISTED in ran.out
    assert "the files are up to date, uv.lock is not: " in ran.err
    assert "type next: uv lock && git add uv.lock" in ran.err
    assert not (service.root / ".git/trunkline/update.json").exists()


def test_what_was_kept_is_listed_where_there_is_no_uv(releases: Sample) -> None:
    service = acme(releases)
    team(service)
    ran = service.run("trunkline", "template", "update", UV="/nowhere/uv")
    assert ran.code == 1
    assert LISTED in ran.out
    assert "uv.lock is not: `/nowhere/uv` was not found" in ran.err


def test_of_two_updates_at_once_one_is_made(releases: Sample) -> None:
    service = acme(releases)
    team(service)
    both = [service.start("trunkline", "template", "update") for _ in range(2)]
    said = sorted("".join(process.communicate()) for process in both)
    assert [process.returncode for process in both] == [1, 1]
    assert [LISTED in text for text in said] == [True, False]
    # It waited for the other, or waited long enough.
    assert "rule `clean`" in said[1] or "rule `one-release`" in said[1]
    assert service.git("diff", "--name-only", "--diff-filter=U") == "CONTRIBUTING.md"


def test_a_git_that_is_too_old_is_told(releases: Sample, tmp_path: Path) -> None:
    service = acme(releases)
    before = service.picture()
    real = service.run("sh", "-c", "command -v git").out.strip()
    old = tmp_path / "old/git"
    old.parent.mkdir()
    old.write_text(
        "#!/bin/sh\n"
        'case "$*" in *merge-tree*) echo "usage: git merge-tree" >&2; exit 129;; esac\n'
        'case "$1" in version) echo git version 2.37.7; exit;; esac\n'
        f'exec {real} "$@"\n'
    )
    old.chmod(0o755)
    path = f"{old.parent}:{service.env['PATH']}"
    ran = service.run("trunkline", "template", "update", PATH=path)
    assert ran.code == 1
    assert "found git 2.37.7; expected 2.38 or newer" in ran.err
    assert service.picture() == before
