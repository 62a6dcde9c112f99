"""A file that is replaced is the old one or the new one, and nothing lies beside it."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from trunkline.files import replace_content

KILLED = """
import os, signal, sys
from pathlib import Path
from trunkline.files import replace_content

os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
replace_content(Path(sys.argv[1]), b"new", staging=Path(sys.argv[2]))
"""


def test_a_file_keeps_its_permissions_and_a_link_stays_a_link(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("old")
    file.chmod(0o750)
    link.symlink_to(file)
    replace_content(link, b"new", staging=tmp_path / "staging")
    assert (link.readlink(), file.read_text()) == (file, "new")
    assert file.stat().st_mode & 0o777 == 0o750


def test_a_new_file_may_be_read_by_whom_the_umask_lets(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        replace_content(tmp_path / "new", b"", staging=tmp_path / "staging")
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640


def test_a_writer_that_is_killed_leaves_nothing_in_the_work_tree(
    tmp_path: Path,
) -> None:
    tree, staging = tmp_path / "tree", tmp_path / "staging"
    tree.mkdir()
    (tree / "file").write_text("old")
    argv = [sys.executable, "-c", KILLED, str(tree / "file"), str(staging)]
    assert subprocess.run(argv, check=False).returncode == -signal.SIGKILL
    assert [path.name for path in tree.iterdir()] == ["file"]
    assert (tree / "file").read_text() == "old"
    replace_content(tree / "file", b"again", staging=staging)
    assert (tree / "file").read_text() == "again"
    assert list(staging.iterdir()) == []


def test_a_repository_on_another_file_system_does_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, staging, rename = tmp_path / "tree", tmp_path / "staging", os.replace

    def within(source: Path, target: Path) -> None:
        if source.parent != target.parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(source, target)

    monkeypatch.setattr(os, "replace", within)
    tree.mkdir()
    replace_content(tree / "file", b"new", staging=staging)
    assert [path.name for path in tree.iterdir()] == ["file"]
    assert (tree / "file").read_bytes() == b"new"
    assert list(staging.iterdir()) == []
