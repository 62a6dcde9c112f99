from hypothesis import given
from hypothesis import strategies as st

from trunkline.notes.release_notes import release_notes
from trunkline.releases.changelog import Section

SECTION = """\
## v2.0.0 (2026-11-21)

A word to all of you.

### BREAKING CHANGE

- the old api
is gone (20da45c)

### Feat

- **x**: third (c5fed3f)
- **BREAKING** **api**: new api (20da45c)

### Fix

- a bug (c5fed3f)

  ```
  ## v0.0.0

  - no entry
  ```

### Other

- **BREAKING** drop Python 3.11 (1a11d2a)
"""


def section(text: str) -> Section:
    return Section(text.split()[1], 0, len(text), text)


def test_breaking_changes_come_first_below_their_own_heading() -> None:
    notes = release_notes(section(SECTION))
    assert notes.date == "2026-11-21"
    assert notes.markdown.startswith(
        "## v2.0.0 (2026-11-21)\n\n"
        "A word to all of you.\n\n"
        "### Breaking changes\n\n"
        "- the old api\nis gone (20da45c)\n"
        "- **api**: new api (20da45c)\n"
        "- drop Python 3.11 (1a11d2a)\n\n"
        "### Feat\n\n"
        "- **x**: third (c5fed3f)\n\n"
        "### Fix\n\n"
    )


def test_a_group_whose_entries_are_all_breaking_is_not_shown_empty() -> None:
    assert "### Other" not in release_notes(section(SECTION)).markdown


def test_a_fenced_block_is_neither_heading_nor_entry() -> None:
    assert "```\n  ## v0.0.0\n\n  - no entry\n" in release_notes(
        section(SECTION)
    ).markdown.replace("\n\n\n", "\n\n")


WORDS = st.text("ab `", min_size=1, max_size=12).map(lambda text: f"x{text}".strip())
ENTRIES = st.builds(
    lambda mark, text, more: f"- {mark}{text}{more}",
    st.sampled_from(["", "**BREAKING** "]),
    WORDS,
    st.sampled_from(["", "\nmore", "\n  - nested", "\n\n  indented"]),
)
GROUPS = st.lists(
    st.tuples(
        st.sampled_from(["Feat", "Fix", "BREAKING CHANGE", "Other"]),
        st.lists(ENTRIES, min_size=1, max_size=3),
    ),
    max_size=4,
)


@given(GROUPS)
def test_no_line_is_lost_and_notes_of_notes_are_the_same(
    groups: list[tuple[str, list[str]]],
) -> None:
    text = "## v1.0.0\n" + "".join(
        f"\n### {title}\n\n" + "\n".join(entries) + "\n" for title, entries in groups
    )
    notes = release_notes(section(text)).markdown
    expected = sorted(
        line.replace("**BREAKING** ", "")
        for _, entries in groups
        for entry in entries
        for line in entry.splitlines()
        if line
    )
    lines = [line for line in notes.splitlines() if line and not line.startswith("#")]
    assert sorted(lines) == expected
    assert "**BREAKING**" not in notes
    assert release_notes(section(notes)).markdown == notes
