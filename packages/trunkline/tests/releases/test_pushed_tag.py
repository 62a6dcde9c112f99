import pytest

from samples import Sample


def test_a_release_passes(released: Sample) -> None:
    ran = released.trunkline("guard", "--tag", "v1.1.0")
    assert (ran.code, "v1.1.0 is a release" in ran.out) == (0, True), ran.all


def test_a_checkout_without_the_annotation_is_no_hand_made_tag(
    released: Sample,
) -> None:
    released.git("tag", "-f", "v1.1.0", "v1.1.0^{commit}")
    assert released.trunkline("guard", "--tag", "v1.1.0").code == 0


def test_a_released_hotfix_passes(released: Sample) -> None:
    released.git("checkout", "-q", "-b", "hotfix/v1.0.1", "v1.0.0")
    released.commit("fix: a crash")
    released.bump()
    ran = released.clone("ci").trunkline("guard", "--tag", "refs/tags/v1.0.1")
    assert ran.code == 0, ran.all


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (("v1.2.0",), "hand-made-tag"),
        (("-a", "v1.2.0", "-m", "v1.2.0"), "tag-version"),
        (("-a", "v1.1.0.1", "-m", "v1.1.0.1"), "tag-format"),
        (("-a", "v1.1", "-m", "v1.1"), "tag-format"),
    ],
)
def test_a_hand_made_tag_is_refused(
    released: Sample, options: tuple[str, ...], rule: str
) -> None:
    released.git("tag", *options)
    name = next(option for option in options if option.startswith("v"))
    released.git("push", "-q", "--no-verify", "origin", name)
    ran = released.trunkline("guard", "--tag", name)
    assert (ran.code, f"rule `{rule}`" in ran.err) == (1, True), ran.all


def test_a_tag_beside_the_branch_is_refused(released: Sample) -> None:
    released.git("checkout", "-q", "--detach")
    released.commit("feat: log out")
    released.git("checkout", "-q", "-B", "main")
    assert released.cz("bump", "--yes").code == 0
    released.git("push", "-q", "origin", "v1.2.0")
    ran = released.trunkline("guard", "--tag", "v1.2.0")
    assert (ran.code, "rule `orphan-tag`" in ran.err) == (1, True), ran.all


def test_a_tag_that_the_remote_lacks_is_refused(released: Sample) -> None:
    ran = released.trunkline("guard", "--tag", "v7.0.0")
    assert (ran.code, "origin has no tag v7.0.0" in ran.err) == (1, True)
