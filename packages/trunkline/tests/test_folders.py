import os
from pathlib import Path

import pytest

from trunkline.errors import FailedError, Refusal
from trunkline.folders import write_folder

FILES = {"a.txt": "1\n", "diff/b.txt": "2\n"}


def test_all_files_are_there_at_once(tmp_path: Path) -> None:
    target = tmp_path / "new" / "bundle"
    write_folder(target, FILES)
    assert (target / "diff/b.txt").read_text() == "2\n"
    assert [path.name for path in target.parent.iterdir()] == ["bundle"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    target.mkdir()
    write_folder(target, FILES)
    assert (target / "a.txt").exists()


def test_a_link_to_an_empty_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write_folder(tmp_path / "link", FILES)
    assert (tmp_path / "real" / "a.txt").exists()
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("what", ["full", "file"])
def test_nothing_is_overwritten(tmp_path: Path, what: str) -> None:
    target = tmp_path / "bundle"
    if what == "full":
        target.mkdir()
        (target / "mine").write_text("mine")
    else:
        target.write_text("mine")
    with pytest.raises(Refusal, match="nothing is overwritten"):
        write_folder(target, FILES)
    assert "mine" in (target / "mine" if what == "full" else target).read_text()


def test_a_disk_that_takes_no_more_leaves_nothing(tmp_path: Path) -> None:
    name = "x" * 300  # Longer than a name may be, so that the second file fails.
    with pytest.raises(FailedError, match="nothing was left behind"):
        write_folder(tmp_path / "bundle", {"a.txt": "1", name: "2"})
    assert list(tmp_path.iterdir()) == []


def test_an_old_leftover_of_a_killed_run_is_removed(tmp_path: Path) -> None:
    dead = tmp_path / ".bundle.unfinished-dead"
    running = tmp_path / ".bundle.unfinished-running"
    for folder in (dead, running):
        folder.mkdir()
    os.utime(dead, (0, 0))
    write_folder(tmp_path / "bundle", FILES)
    assert sorted(path.name for path in tmp_path.iterdir()) == [running.name, "bundle"]


def test_of_two_at_once_the_second_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    write_folder(target, FILES)
    with pytest.raises(Refusal):
        write_folder(target, FILES)
