import sys

import pytest

from samples import Sample
from trunkline.releases.push_check import RefUpdate

NOTHING = "0" * 40


def line(sample: Sample, local: str, remote_ref: str, remote: str = NOTHING) -> str:
    oid = sample.git("rev-parse", local)
    return f"{local} {oid} {remote_ref} {remote}\n"


def test_a_push_without_version_tags_starts_nothing(released: Sample) -> None:
    updates = line(released, "HEAD", "refs/heads/main")
    code = "from trunkline.cli import main; main()"
    argv = (sys.executable, "-c", code, "push-check", "origin")
    ran = released.run(*argv, stdin=updates, PATH="/nowhere")
    assert ran.code == 0, ran.all


def test_branch_and_tag_together_may_go(released: Sample) -> None:
    released.commit("feat: log out")
    assert released.cz("bump", "--yes").code == 0
    updates = line(released, "HEAD", "refs/heads/main")
    updates += line(released, "v1.2.0", "refs/tags/v1.2.0")
    ran = released.trunkline("push-check", "origin", stdin=updates)
    assert ran.code == 0, ran.all


def test_the_tag_of_a_branch_that_is_there_may_go(released: Sample) -> None:
    updates = line(released, "v1.1.0", "refs/tags/v1.1.0")
    assert released.trunkline("push-check", "origin", stdin=updates).code == 0


def test_a_tag_beside_a_feature_branch_may_not_go(released: Sample) -> None:
    released.commit("feat: log out")
    assert released.cz("bump", "--yes").code == 0
    updates = line(released, "HEAD", "refs/heads/feat/x")
    updates += line(released, "v1.2.0", "refs/tags/v1.2.0")
    ran = released.trunkline("push-check", "origin", stdin=updates)
    assert (ran.code, "rule `orphan-tag`" in ran.err) == (1, True)


def test_a_tag_with_other_words_may_not_go(released: Sample) -> None:
    released.git("tag", "-f", "-a", "v1.1.0", "-m", "mine", "v1.1.0^{commit}")
    updates = line(released, "v1.1.0", "refs/tags/v1.1.0")
    ran = released.trunkline("push-check", "origin", stdin=updates)
    assert (ran.code, "the message 'mine'" in ran.err) == (1, True)


@pytest.mark.parametrize(
    ("ref", "tag"),
    [
        ("refs/tags/v1.2.0", "v1.2.0"),
        ("refs/tags/v1", "v1"),
        ("refs/tags/vendor", None),
        ("refs/heads/v1.2.0", None),
    ],
)
def test_what_looks_like_a_version_tag_is_one(ref: str, tag: str | None) -> None:
    assert RefUpdate("local", "1", ref, NOTHING).version_tag == tag
