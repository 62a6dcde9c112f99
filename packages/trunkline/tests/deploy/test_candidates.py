"""What a person may type to name a commit."""

from pathlib import Path

import pytest

from trunkline import process
from trunkline.deploy.candidates import find_commit
from trunkline.deploy.environments import Environment
from trunkline.errors import UsageError
from trunkline.git import Repository

STAGING = Environment("staging", "http://127.0.0.1:8100")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    identity = ["-c", "user.name=ana", "-c", "user.email=ana@example.com"]
    for words in (
        ["init", "--quiet", "--initial-branch=feat/Login_button"],
        [*identity, "commit", "--quiet", "--allow-empty", "--message", "feat: login"],
    ):
        process.run(["git", *words], cwd=tmp_path, check=True)
    return Repository.find(tmp_path)


@pytest.mark.parametrize("ref", ["feat/Login_button", "feat-login-button", "HEAD"])
def test_a_branch_is_found_by_its_name_and_by_the_tag_of_its_image(
    repository: Repository, ref: str
) -> None:
    found = find_commit(repository, STAGING, ref)
    assert (found.ref, found.commit) == (ref, repository.read("rev-parse", "HEAD"))


def test_so_is_a_branch_that_is_on_the_remote_alone(repository: Repository) -> None:
    head = repository.read("rev-parse", "HEAD")
    repository.read("update-ref", "refs/remotes/origin/feat/tiers", head)
    assert find_commit(repository, STAGING, "feat-tiers").commit == head


@pytest.mark.parametrize(
    "ref",
    ["", "..", "HEAD..HEAD", "--all", "a\nb", "\x1b[31mred", "x" * 300, "HEAD:src"],
)
def test_anything_else_is_refused_in_printable_words(
    repository: Repository, ref: str
) -> None:
    with pytest.raises(UsageError) as refused:
        find_commit(repository, STAGING, ref)
    first, _ = str(refused.value).split("\n")
    assert first.isprintable()
    assert len(first) < 200
