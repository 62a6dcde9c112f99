"""The files that a release edits: links, line ends, and names and words with both."""

import pytest

from githooks import install_hook
from hotfixes import backported, entries, headings
from samples import Sample

EDITED = ("CHANGELOG.md", "pyproject.toml", "uv.lock")
# What Python takes for the end of a line, and git does not.
SEPARATORS = "\v\f\r\x1c\x1d\x1e\x85\u2028\u2029"
ODD = 'a\n"b"\té'


def link_changelog(sample: Sample) -> None:
    """Keep the changelog in a folder of documents."""
    sample.write("docs/CHANGES.md", sample.read("CHANGELOG.md"))
    (sample.root / "CHANGELOG.md").unlink()
    (sample.root / "CHANGELOG.md").symlink_to("docs/CHANGES.md")
    sample.git("add", "--all")
    sample.commit("docs: move the changelog")


def end_lines_as_on_windows(sample: Sample) -> None:
    for name in EDITED:
        file = sample.root / name
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    sample.git("add", "--all")
    sample.commit("style: end lines as on Windows")


def mixed(sample: Sample) -> list[str]:
    """Name the edited files in which a line ends in another way."""
    contents = {name: (sample.root / name).read_bytes() for name in EDITED}
    return [
        it for it, text in contents.items() if text.count(b"\n") != text.count(b"\r\n")
    ]


def test_a_link_to_the_changelog_stays_one(released: Sample) -> None:
    link_changelog(released)
    released.commit("feat: log out")
    ran = released.trunkline("release")
    assert ran.code == 0, ran.all
    assert (released.root / "CHANGELOG.md").is_symlink()
    changed = released.git("show", "--format=", "--name-only").splitlines()
    assert changed == ["docs/CHANGES.md", "pyproject.toml", "uv.lock"]
    assert released.trunkline("guard", "--tag", "v1.2.0").code == 0


def test_a_linked_changelog_is_as_before_after_a_release_that_is_undone(
    released: Sample,
) -> None:
    link_changelog(released)
    released.commit("feat: log out")
    install_hook(released.root / ".git", "commit-msg", "exit 1")
    before = released.picture()
    assert released.trunkline("release").code == 1
    assert released.picture() == before
    assert released.git("status", "--porcelain") == ""


def test_a_hotfix_is_recorded_in_a_linked_changelog(hotfixed: Sample) -> None:
    link_changelog(hotfixed)
    hotfixed.push()
    backported(hotfixed)
    assert "v1.1.1" in headings(hotfixed)
    assert hotfixed.git("status", "--porcelain") == ""


def test_a_release_keeps_the_line_ends_of_its_files(released: Sample) -> None:
    end_lines_as_on_windows(released)
    released.commit("feat: log out")
    ran = released.trunkline("release")
    assert (ran.code, mixed(released)) == (0, []), ran.all
    assert headings(released)[0] == "v1.2.0"


def test_a_backport_keeps_the_line_ends_of_its_files(released: Sample) -> None:
    end_lines_as_on_windows(released)
    released.push()
    released.git("switch", "-q", "-c", "hotfix/v1.1.1", "v1.1.0")
    released.commit("fix: a crash", {"crash.txt": "fixed"})
    released.bump("--increment", "PATCH")
    released.git("switch", "-q", "main")
    backported(released)
    assert (released.version, mixed(released)) == ("1.1.1", [])


@pytest.mark.parametrize("separator", SEPARATORS, ids=ascii)
def test_a_subject_is_one_entry_whatever_separates_its_words(
    released: Sample, separator: str
) -> None:
    released.commit(f"feat: log{separator}out")
    released.commit(f"fix: a{separator}## v9.9.9")
    ran = released.trunkline("release")
    assert (ran.code, released.version) == (0, "1.2.0"), ran.all
    assert entries(released, "v1.2.0") == ["log out", "a ## v9.9.9"]
    assert headings(released) == ["v1.2.0", "v1.1.0", "v1.0.0"]


def test_a_bump_is_found_below_a_subject_with_a_separator(released: Sample) -> None:
    released.commit("feat: log out")
    assert released.cz("bump", "--yes").code == 0
    text = released.read("pyproject.toml") + "# more\n"
    released.commit("chore: a\u2028b", {"pyproject.toml": text})
    ran = released.trunkline("release")
    assert (ran.code, "released v1.2.0" in ran.out) == (0, True), ran.all


def test_a_changed_path_is_named_in_one_line(released: Sample) -> None:
    released.write(ODD, "new")
    ran = released.trunkline("release")
    assert 'found:     uncommitted: a\\n"b"\\té\n' in ran.err
