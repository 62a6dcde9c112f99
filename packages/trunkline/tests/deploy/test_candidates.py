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
    words = ["init", "--quiet", "--initial-branch=feat/Login_button"]
    process.run(["git", *words], cwd=tmp_path, check=True)
    made = Repository.find(tmp_path)
    made.read("update-ref", "HEAD", commit(made, at=1))
    return made


def commit(repository: Repository, *parents: str, at: int) -> str:
    """Make a commit that no ref has, at a time in days."""
    who = "author ana <ana@example.com>", "committer ana <ana@example.com>"
    tree = repository.read("hash-object", "-t", "tree", "-w", "/dev/null")
    lines = [f"tree {tree}", *(f"parent {one}" for one in parents)]
    lines += [f"{one} {at * 86400} +0000" for one in who]
    text = "\n".join([*lines, "", f"feat: day {at}", ""]).encode()
    told = ("hash-object", "-t", "commit", "-w", "--stdin")
    return repository.run(*told, stdin=text, check=True).text


@pytest.mark.parametrize("ref", ["feat/Login_button", "feat-login-button", "HEAD"])
def test_a_branch_is_found_by_its_name_and_by_the_tag_of_its_image(
    repository: Repository, ref: str
) -> None:
    found = find_commit(repository, STAGING, ref)
    assert (found.ref, found.commit) == (ref, repository.read("rev-parse", "HEAD"))


def test_a_branch_by_its_ref_has_the_same_name(repository: Repository) -> None:
    found = find_commit(repository, STAGING, "refs/heads/feat/Login_button")
    assert found == find_commit(repository, STAGING, "feat/Login_button")


def test_so_is_a_branch_that_is_on_the_remote_alone(repository: Repository) -> None:
    head = repository.read("rev-parse", "HEAD")
    repository.read("update-ref", "refs/remotes/origin/feat/tiers", head)
    assert find_commit(repository, STAGING, "feat-tiers").commit == head


@pytest.mark.parametrize(
    ("here", "there", "found"),
    [
        ((), (2,), "there"),  # Fetched: nobody moves a server's own branches.
        ((2,), (), "here"),  # To be pushed.
        ((2,), (3,), "there"),  # Rebased and pushed by somebody.
        ((3,), (2,), "here"),  # Amended here.
        ((), (0,), "there"),  # Pushed by somebody whose clock is behind.
    ],
)
def test_of_a_branch_that_the_remote_has_too_the_newer_counts(
    repository: Repository, here: tuple[int], there: tuple[int], found: str
) -> None:
    base = repository.read("rev-parse", "HEAD")
    commits = {
        place: commit(repository, base, at=days[0]) if days else base
        for place, days in (("here", here), ("there", there))
    }
    for name, ref in (("here", "heads"), ("there", "remotes/upstream")):
        repository.read("update-ref", f"refs/{ref}/main", commits[name])
    one = find_commit(repository, STAGING, "main", remote="upstream")
    assert one.commit == commits[found]


def test_branches_with_one_tag_are_named(repository: Repository) -> None:
    head = repository.read("rev-parse", "HEAD")
    repository.read("update-ref", "refs/remotes/origin/feat/login-button", head)
    with pytest.raises(UsageError) as refused:
        find_commit(repository, STAGING, "feat-login-button")
    first, _ = str(refused.value).split("\n")
    _, one, two = first.split(" of ")
    for name in (one.removesuffix(" and"), two):
        assert find_commit(repository, STAGING, name).commit == head


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
