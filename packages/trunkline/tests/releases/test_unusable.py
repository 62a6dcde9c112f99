"""A clone in which no release can be made says so, and what leads on."""

import pytest

from samples import Ran, Sample

OLD = "# Changelog\n\n## v1.1.0 (2026-01-01)\n\n- log in\n"


def refused(sample: Sample) -> Ran:
    """Refuse by both commands with the same words; returns how a dry run ended."""
    before = sample.picture()
    first, second = sample.cz("bump", "--yes"), sample.trunkline("release")
    assert (first.code, second.code) == (20, 1), first.all + second.all
    assert second.err == f"trunkline: {first.err}"
    assert sample.picture() == before
    return second


def type_next(sample: Sample, ran: Ran) -> None:
    """Type what a message says, which must work."""
    command = ran.err.partition("type next: ")[2].strip()
    done = sample.run("sh", "-c", command)
    assert done.code == 0, done.all


@pytest.mark.parametrize("encoding", ["latin1", "utf-16"])
def test_a_changelog_in_another_encoding_is_rewritten_first(
    released: Sample, encoding: str
) -> None:
    (released.root / "CHANGELOG.md").write_bytes(f"{OLD}- Käse\n".encode(encoding))
    released.commit("feat: more", {"more.txt": "more"})
    released.git("commit", "-qam", "docs: say more")
    ran = refused(released)
    assert "CHANGELOG.md is not utf-8 text" in ran.err
    type_next(released, ran)
    assert released.trunkline("release").code == 0
    assert "- Käse\n" in released.read("CHANGELOG.md")


@pytest.mark.parametrize("exists", [True, False])
def test_a_changelog_outside_the_repository_is_brought_in_first(
    released: Sample, exists: bool
) -> None:
    outside = released.root.parent / "outside.md"
    if exists:
        outside.write_text(OLD)
    (released.root / "CHANGELOG.md").unlink()
    (released.root / "CHANGELOG.md").symlink_to("../outside.md")
    released.git("commit", "-qam", "docs: link the changelog")
    released.commit("feat: more", {"more.txt": "more"})
    ran = refused(released)
    assert f"CHANGELOG.md is a link to {outside}" in ran.err
    if exists:
        type_next(released, ran)
        assert released.trunkline("release").code == 0
        assert "## v1.2.0" in released.git("show", "v1.2.0:CHANGELOG.md")


def test_a_changelog_that_is_a_folder_is_named(released: Sample) -> None:
    released.git("rm", "-q", "CHANGELOG.md")
    released.commit("feat: more", {"CHANGELOG.md/more.md": "more"})
    assert "found:     CHANGELOG.md: Is a directory" in refused(released).err


def test_a_damaged_index_is_replaced_first(released: Sample) -> None:
    released.commit("feat: more", {"more.txt": "more"})
    (released.root / ".git/index").write_bytes(b"damaged")
    first, second = released.cz("bump", "--yes"), released.trunkline("release")
    assert (first.code, second.code) == (20, 1), first.all + second.all
    assert released.version == "1.1.0"
    type_next(released, second)
    assert released.trunkline("release").code == 0


def test_a_branch_without_a_commit_gets_its_first(released: Sample) -> None:
    released.git("checkout", "-q", "--orphan", "main2")
    for command in ("release", "guard", "tags", "publish"):
        ran = released.trunkline(command)
        assert (ran.code, "the branch has no commit" in ran.err) == (2, True), ran.all
    assert "the branch has no commit" in released.cz("bump").err
    type_next(released, ran)
    assert "refused by rule `branch`" in released.trunkline("release").err


@pytest.mark.parametrize("hidden", ["sparse", "assumed"])
def test_a_changelog_that_git_passes_over_is_watched_first(
    released: Sample, hidden: str
) -> None:
    released.commit("feat: more", {"more.txt": "more"})
    if hidden == "sparse":
        released.git(
            "sparse-checkout", "set", "--no-cone", "/pyproject.toml", "/uv.lock"
        )
    else:
        released.git("update-index", "--assume-unchanged", "CHANGELOG.md")
    first, second = released.cz("bump", "--yes"), released.trunkline("release")
    assert (first.code, second.code) == (26, 1), first.all + second.all
    assert "pass over changes of CHANGELOG.md" in first.err
    command = second.err.partition("type next: ")[2].strip()
    assert released.run("sh", "-c", command).code == 0
    ran = released.trunkline("release")
    assert ran.code == 0, ran.all
    assert "## v1.2.0" in released.git("show", "v1.2.0:CHANGELOG.md")
