import json

import pytest

from samples import Sample


def test_without_arguments_the_current_version_is_described(released: Sample) -> None:
    ran = released.trunkline("notes")
    assert ran.code == 0, ran.all
    assert ran.out.startswith("## v1.1.0 (")
    assert "- log in (" in ran.out
    assert "begin" not in ran.out


def test_any_version_is_cut_from_the_changelog_as_it_is(released: Sample) -> None:
    text = released.read("CHANGELOG.md").replace("- begin", "- begin, at last")
    released.write("CHANGELOG.md", text)
    for name in ("v1.0.0", "1.0.0"):
        ran = released.trunkline("notes", name)
        assert (ran.code, "- begin, at last" in ran.out) == (0, True)


def test_a_line_ending_of_windows_changes_nothing(released: Sample) -> None:
    before = released.trunkline("notes").out
    path = released.root / "CHANGELOG.md"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert released.trunkline("notes").out == before


def test_an_unknown_version_is_refused_with_the_nearest(released: Sample) -> None:
    ran = released.trunkline("notes", "v1.0.7")
    assert ran.code == 1
    assert "such as v1.0.0 or v1.1.0" in ran.err
    assert "type next: uv run trunkline notes v1.0.0" in ran.err


def test_an_invalid_version_is_refused_with_the_known_ones(released: Sample) -> None:
    ran = released.trunkline("notes", "banana")
    assert ran.code == 2
    assert "v1.1.0" in ran.err


def test_a_project_that_was_never_released_says_so(sample: Sample) -> None:
    ran = sample.trunkline("notes")
    assert ran.code == 1
    assert "there is none yet" in ran.err
    assert "notes --unreleased" in ran.err


def test_the_trunk_describes_a_hotfix_before_it_has_its_section(
    released: Sample,
) -> None:
    released.git("switch", "-q", "-c", "hotfix/v1.0.1", "v1.0.0")
    released.commit("fix: stop the leak")
    released.push()
    released.bump("--increment", "PATCH")
    released.git("switch", "-q", "main")
    ran = released.trunkline("notes", "v1.0.1")
    assert ran.code == 0, ran.all
    assert "- stop the leak" in ran.out


def test_unreleased_is_what_the_bump_then_writes(released: Sample) -> None:
    released.commit("feat(api)!: new api\n\nBREAKING CHANGE: the old one is gone")
    released.commit("chore!: drop Python 3.11")
    released.commit("fix: a bug")
    released.write("draft.txt", "not committed")
    before = released.picture()
    ran = released.trunkline("notes", "--unreleased")
    assert ran.code == 0, ran.all
    assert released.picture() == before
    heading = ran.out.index("### BREAKING CHANGES")
    assert heading < ran.out.index("- drop Python 3.11") < ran.out.index("### Fix")
    (released.root / "draft.txt").unlink()
    released.push()
    released.bump()
    assert released.trunkline("notes", "v2.0.0").out == ran.out


def test_unreleased_after_an_alpha_describes_the_stable_release(
    released: Sample,
) -> None:
    released.commit("feat: one")
    released.push()
    released.bump("--prerelease", "alpha")
    released.commit("fix: two")
    ran = released.trunkline("notes", "--unreleased")
    assert (ran.code, ran.out.startswith("## v1.2.0 (")) == (0, True), ran.all
    assert "- one" in ran.out
    assert "- two" in ran.out
    assert "- two" not in released.trunkline("notes", "v1.2.0-alpha.0").out


def test_unreleased_on_a_hotfix_branch_raises_the_patch_only(released: Sample) -> None:
    released.git("switch", "-q", "-c", "hotfix/v1.0.1", "v1.0.0")
    released.commit("feat: more than a patch")
    ran = released.trunkline("notes", "--unreleased")
    assert (ran.code, ran.out.startswith("## v1.0.1 (")) == (0, True), ran.all


def test_tags_of_the_same_second_and_parallel_lines_do_not_mix(
    released: Sample,
) -> None:
    date = "2026-01-01T00:00:00Z"
    released.env |= {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    released.git("switch", "-q", "-c", "hotfix/v1.0.1", "v1.0.0")
    released.commit("fix: old line")
    released.push()
    released.bump("--increment", "PATCH")
    released.git("switch", "-q", "main")
    released.commit("feat: new line")
    released.push()
    released.bump()
    released.commit("fix: after it")
    assert "old line" not in released.trunkline("notes", "v1.2.0").out
    unreleased = released.trunkline("notes", "--unreleased").out
    assert "after it" in unreleased
    assert "line" not in unreleased


@pytest.mark.parametrize(
    ("message", "reason"),
    [(None, "no commit since v1.1.0"), ("docs: more", "no commit that raises")],
)
def test_nothing_to_release_is_reported_with_its_reason(
    released: Sample, message: str | None, reason: str
) -> None:
    if message:
        released.commit(message)
    ran = released.trunkline("notes", "--unreleased")
    assert ran.code == 0
    assert reason in ran.out


def test_an_unfinished_release_is_refused_with_the_next_command(
    released: Sample,
) -> None:
    released.git("tag", "-d", "v1.1.0")
    ran = released.trunkline("notes", "--unreleased")
    assert ran.code == 1
    assert "git fetch --tags" in ran.err


def test_an_edited_version_is_refused(released: Sample) -> None:
    text = released.read("pyproject.toml").replace('"1.1.0"', '"1.2.0"')
    released.write("pyproject.toml", text)
    ran = released.trunkline("notes", "--unreleased")
    assert ran.code == 1
    assert "its commit 1.1.0" in ran.err


def test_a_machine_gets_the_notes_as_json(released: Sample) -> None:
    answer = json.loads(released.trunkline("notes", "--json").out)
    assert answer["version"] == "1.1.0"
    assert answer["date"] in answer["markdown"]
    assert "### Feat\n\n- log in (" in answer["markdown"]
    nothing = json.loads(released.trunkline("notes", "--unreleased", "--json").out)
    assert nothing["version"] is None
    assert nothing["reason"]


def test_a_version_and_unreleased_cannot_both_be_meant(released: Sample) -> None:
    assert released.trunkline("notes", "v1.0.0", "--unreleased").code == 2
