import pytest

from trunkline.workspace.lockfiles import is_lock_file, lock_summary


def uv_lock(*packages: tuple[str, str]) -> bytes:
    return "".join(
        f'[[package]]\nname = "{name}"\nversion = "{version}"\n\n'
        for name, version in packages
    ).encode()


def test_a_lock_file_says_which_packages_changed() -> None:
    old = uv_lock(("a", "1"), ("b", "1"), ("c", "3"), ("d", "1"))
    new = uv_lock(("a", "2"), ("c", "3"), ("d", "1"), ("d", "2"), ("e", "5"))
    assert lock_summary("x/uv.lock", old, new, added=3, removed=2) == (
        "x/uv.lock: 4 packages changed: a 1→2, b removed 1, d 1→1/2, e added 5"
    )


@pytest.mark.parametrize("new", [b"<<<<<<< HEAD", b"\xff", b"package = 3", None])
def test_what_cannot_be_read_is_told_in_lines(new: bytes | None) -> None:
    line = lock_summary("yarn.lock" if new is None else "uv.lock", b"", new, added=7,
                        removed=1)  # fmt: skip
    assert line.endswith(": 7 lines added, 1 removed")


def test_a_new_hash_alone_changes_no_version() -> None:
    lock = uv_lock(("a", "1"))
    line = lock_summary("uv.lock", lock, lock + b"# x\n", added=1, removed=0)
    assert "no package changed its version" in line


def test_a_hundred_packages_do_not_fill_the_page() -> None:
    lock = uv_lock(*((f"p{n:03}", "1") for n in range(100)))
    line = lock_summary("uv.lock", None, lock, added=400, removed=0)
    assert line.startswith("uv.lock: 100 packages changed: p000 added 1, ")
    assert line.endswith(" and 60 more")


def test_only_files_that_programs_write_are_lock_files() -> None:
    assert is_lock_file("packages/a/uv.lock")
    assert not is_lock_file("src/locks.py")
