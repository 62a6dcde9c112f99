"""The watched files: those whose names match, but not of hidden folders."""

import os
from pathlib import Path

import pytest

from trunkline.loop.files import Files, changes


@pytest.fixture
def files(tmp_path: Path) -> Files:
    for folder in ("src", ".hidden", "node_modules", "env"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "one.py").touch()
    (tmp_path / "env/pyvenv.cfg").touch()
    (tmp_path / "src/notes.txt").touch()
    return Files(tmp_path, ["*.py", "*.toml"])


def names(files: Files, found: set[str]) -> set[str]:
    return {os.path.relpath(path, files.root) for path in found}


def test_only_matching_files_of_the_project_are_watched(files: Files) -> None:
    inside = {path for path in files.scan() if path.startswith(str(files.root))}

    assert names(files, inside) == {"src/one.py"}


def test_a_write_that_keeps_time_and_size_is_seen(files: Files) -> None:
    file = files.root / "src/one.py"
    file.write_text("a")
    before, stat = files.settled(), file.stat()
    file.write_text("b")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    assert names(files, changes(before, files.scan())) == {"src/one.py"}


def test_new_deleted_and_renamed_files_are_changes(files: Files) -> None:
    before = files.settled()
    (files.root / "src/one.py").rename(files.root / "src/two.py")
    (files.root / "pyproject.toml").touch()

    expected = {"src/one.py", "src/two.py", "pyproject.toml"}
    assert names(files, changes(before, files.scan())) == expected


def test_a_folder_that_goes_while_it_is_read_is_no_error(files: Files) -> None:
    (files.root / "src/one.py").unlink()
    (files.root / "src/gone.py").symlink_to(files.root / "nothing")
    inside = {path for path in files.scan() if path.startswith(str(files.root))}

    assert inside == set()
