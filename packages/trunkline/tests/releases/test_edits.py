import pytest

from trunkline.releases.edits import changelog_before, lock_before, project_before

PROJECT = '[tool.x]\nversion = "9"\n[project]\nname = "a"\nversion = "1.0.0" # why\n'
LOCK = (
    'version = 1\n\n[[package]]\nname = "b"\nversion = "1.0.0"\n\n'
    '[[package]]\nname = "a"\nversion = "1.0.0"\nsource = { editable = "." }\n'
)
OLD = "# Changelog\n\n## v1.0.0 (2026-01-01)\n\n### Feat\n\n- a\n"
NEW = "## v1.1.0 (2026-01-02)\n\n### Fix\n\n- b\n\n"
ALPHA = "## v1.1.0-alpha.0 (2026-01-02)\n\n### Fix\n\n- b\n\n"
HEAD, TAIL = OLD[:13], OLD[13:]


def bumped(text: str, place: int) -> str:
    """Replace the version at the `place`-th time that it occurs."""
    parts = text.split('"1.0.0"')
    left, right = parts[:place], parts[place:]
    return '"1.0.0"'.join(left) + '"1.1.0"' + '"1.0.0"'.join(right)


def test_the_version_of_the_project_alone_goes_back() -> None:
    after = bumped(PROJECT, 1)
    assert project_before(after, current="1.0.0", committed=PROJECT) == PROJECT


def test_the_committed_spelling_comes_back() -> None:
    committed = PROJECT.replace('"1.0.0"', "'1.0.0a2'")
    after = PROJECT.replace("1.0.0", "1.0.0-alpha.3")
    before = project_before(after, current="1.0.0-alpha.2", committed=committed)
    assert before == committed


def test_changes_of_the_user_stay() -> None:
    mine = PROJECT.replace("# why", "# my words") + "[tool.mine]\n"
    after = bumped(mine, 1)
    assert project_before(after, current="1.0.0", committed=PROJECT) == mine


def test_the_lock_of_another_package_stays() -> None:
    after = bumped(LOCK, 2)
    assert lock_before(after, name="a", current="1.0.0", committed=LOCK) == LOCK


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (OLD, HEAD + NEW + TAIL),
        (HEAD + ALPHA + TAIL, HEAD + NEW + TAIL),
        ("# Changelog\n", "# Changelog\n\n" + NEW.rstrip() + "\n"),
        (HEAD + "## Unreleased\n\n- b\n\n" + TAIL, HEAD + NEW + TAIL),
        (HEAD + TAIL, HEAD + NEW + NEW + TAIL),
        (HEAD + TAIL, HEAD + NEW + "## v0.9.0 (again)\n\n- z\n\n" + TAIL),
    ],
)
def test_a_committed_changelog_comes_back(before: str, after: str) -> None:
    assert changelog_before(after, tag="v1.1.0", candidates=[before]) == before


def test_words_of_the_user_in_the_changelog_stay() -> None:
    mine = OLD.replace("- a", "- a, and more")
    after = mine[:13] + NEW + mine[13:]
    assert changelog_before(after, tag="v1.1.0", candidates=[OLD]) == mine


def test_dropped_alphas_come_back_among_words_of_the_user() -> None:
    mine = TAIL.replace("- a", "- a, and more")
    committed = HEAD + ALPHA + TAIL
    before = changelog_before(HEAD + NEW + mine, tag="v1.1.0", candidates=[committed])
    assert before == HEAD + ALPHA + mine


def test_a_changelog_that_was_made_leaves_nothing() -> None:
    assert changelog_before(NEW, tag="v1.1.0", candidates=[]) == ""
