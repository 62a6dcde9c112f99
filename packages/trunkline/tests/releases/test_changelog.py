import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samples import Sample
from trunkline.releases.changelog import (
    Section,
    add_release,
    find_section,
    insert_section,
    sections,
)
from trunkline.versions import Version

VERSIONS = st.builds(
    Version,
    st.integers(0, 2),
    st.integers(0, 12),
    st.integers(0, 12),
    st.sampled_from([(), ("alpha", "0"), ("alpha", "10")]),
)


def text_of(version: Version) -> str:
    return f"## {version.tag} (2026-11-21)\n\n### Fix\n\n- in {version}\n"


def section_of(version: Version) -> Section:
    found = find_section(text_of(version), version.tag)
    assert found is not None
    return found


@given(st.sets(VERSIONS, min_size=1), st.sampled_from(["", "# Changelog\n\n"]))
def test_a_section_is_put_in_version_order_and_the_rest_stays(
    versions: set[Version], head: str
) -> None:
    *others, last = sorted(versions, key=hash)
    before = head + "\n".join(text_of(v) for v in sorted(others, reverse=True))
    after = insert_section(before, section_of(last))
    assert [s.version for s in sections(after)] == sorted(versions, reverse=True)
    for version in versions:
        found = find_section(after, version.tag)
        assert found is not None
        assert found.text.strip() == text_of(version).strip()
    assert after.startswith(head.rstrip("\n"))
    assert after.endswith("\n")
    assert not after.endswith("\n\n")


def test_a_section_of_unreleased_changes_stays_on_top() -> None:
    before = "## Unreleased\n\n- new\n\n## v1.1.0\n\n- old\n"
    after = insert_section(before, section_of(Version(1, 1, 1)))
    assert [s.name for s in sections(after)] == ["Unreleased", "v1.1.1", "v1.1.0"]


LINES = st.sampled_from(
    ["# Changelog", "## v1.0.0 (2026-01-01)", "## v1.1.0", "##", "### Feat", "- a", ""]
)


@given(st.lists(LINES).map("\n".join))
def test_the_sections_are_the_text_below_the_first_heading(text: str) -> None:
    found = list(sections(text))
    start = found[0].start if found else len(text)
    assert "".join(part.text for part in found) == text[start:]
    assert all(text[part.start : part.end] == part.text for part in found)
    assert [part.name for part in found] == [
        line.split()[1] for line in text.split("\n") if line.startswith("## ")
    ]


def test_the_newest_section_of_a_tag_is_found() -> None:
    text = "# Changelog\n\n## v1.1.0\n\n- b\n\n## v1.1.0\n\n- a\n"
    section = find_section(text, "v1.1.0")
    assert section is not None
    assert section.body == "- b"
    assert find_section(text, "v1.0.0") is None


@pytest.mark.parametrize("heading", ["## [Unreleased]", "## Unreleased"])
def test_a_hand_written_changelog_is_kept(released: Sample, heading: str) -> None:
    """Lines below `Unreleased` stand in the new version, above what is generated."""
    before = released.read("CHANGELOG.md")
    mine = f"# Changelog\n\n{heading}\n\n- mine\n\n### Known\n\nslow\n\n"
    mine = before.replace("# Changelog\n\n", mine)
    released.commit("docs: words", {"CHANGELOG.md": mine})
    commit = released.commit("feat: more")
    assert released.trunkline("release").code == 0
    after = released.read("CHANGELOG.md")
    section = find_section(after, "v1.2.0")
    assert section is not None
    generated = f"### Feat\n\n- more ({commit[:7]})"
    assert section.body == f"- mine\n\n### Known\n\nslow\n\n{generated}"
    assert after.replace(section.text, "") == before


def test_a_hand_written_changelog_of_other_headings_gets_one_section(
    released: Sample,
) -> None:
    """Hand-written changelog: `Keep a Changelog` writes `[1.1.0] - date`."""
    text = released.read("CHANGELOG.md")
    before = re.sub(r"^## v(\S+) \((.*)\)$", r"## [\1] - \2", text, flags=re.MULTILINE)
    released.commit("feat: more", {"CHANGELOG.md": before})
    assert released.trunkline("release").code == 0
    after = released.read("CHANGELOG.md")
    assert [s.name for s in sections(after)] == ["v1.2.0", "[1.1.0]", "[1.0.0]"]
    section = find_section(after, "v1.2.0")
    assert section is not None
    assert after.replace(section.text, "") == before
    assert released.trunkline("notes", "v1.1.0").code == 0


@given(
    st.sets(VERSIONS.filter(lambda it: not it.prerelease), min_size=1),
    st.sampled_from(["", "# Changelog\n\n", "# Changelog\n\nWords.\n\n"]),
    st.sampled_from(["", "## Unreleased\n\n- mine\n\n"]),
)
def test_a_release_adds_one_section_and_deletes_no_line(
    versions: set[Version], head: str, unreleased: str
) -> None:
    newest, *others = sorted(versions, reverse=True)
    before = head + unreleased + "\n".join(text_of(it) for it in others)
    # What commitizen makes of a changelog that it cannot read.
    after = "\n".join([head, *(text_of(it) for it in (newest, *others))])
    made = add_release(before, after)
    assert [s.version for s in sections(made)] == [newest, *others]
    for version in others:
        kept = find_section(made, version.tag)
        assert kept is not None
        assert kept.text.strip() == text_of(version).strip()
    section = find_section(made, newest.tag)
    assert section is not None
    assert section.body.startswith("- mine" if unreleased else "### Fix")
    assert f"- in {newest}" in section.body
    assert made.startswith(head.rstrip("\n"))
