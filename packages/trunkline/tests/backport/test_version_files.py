from trunkline.backport.version_files import write_lock, write_pattern, write_project

PROJECT = '[tool.x]\nversion = "9"\n[project]\nname = "a"\nversion = "1.0.0" # why\n'
LOCK = (
    'version = 1\n\n[[package]]\nname = "b"\nversion = "1.0.0"\n\n'
    '[[package]]\nname = "a-b"\nversion = "1.0.0"\nsource = { editable = "." }\n'
)


def test_only_the_version_of_the_project_changes() -> None:
    assert write_project(PROJECT, "1.1.0") == PROJECT.replace("1.0.0", "1.1.0")


def test_only_the_lock_entry_of_the_project_changes() -> None:
    head, package, tail = LOCK.partition('name = "a-b"')
    expected = head + package + tail.replace("1.0.0", "1.1.0")
    assert write_lock(LOCK, "A_b", "1.1.0") == expected


def test_only_the_lines_that_match_a_pattern_change() -> None:
    text = "appVersion: 1.0.0\nsince: 1.0.0\n"
    written = write_pattern(text, "^appVersion", "1.0.0", "1.1.0")
    assert written == "appVersion: 1.1.0\nsince: 1.0.0\n"
