"""Two people release at the same moment: one wins, the other keeps all he had."""

import subprocess

import pytest

from samples import Sample
from seeds import SEEDS


def race(first: Sample, second: Sample) -> list[int]:
    processes = [
        subprocess.Popen(
            ["trunkline", "release", "--yes"],
            cwd=sample.root,
            env=sample.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for sample in (first, second)
    ]
    return [process.wait(timeout=600) for process in processes]


def run_rounds(sample: Sample, rounds: int) -> None:
    other = sample.clone("other")
    tags = len(version_tags(sample))
    for number in range(rounds):
        # Every other time they would make different versions.
        sample.commit(f"fix: {number}", {"a.txt": f"{number}"})
        kind = "feat" if number % 2 else "fix"
        other.commit(f"{kind}: {number}", {"b.txt": f"{number}"})
        before = {clone.root: clone.picture() for clone in (sample, other)}
        codes = race(sample, other)
        assert sorted(codes) == [0, 1]
        loser = sample if codes[0] else other
        assert loser.picture() == before[loser.root]
        assert len(version_tags(sample)) == tags + number + 1
        assert no_orphan(sample)
        loser.git("pull", "-q", "--rebase", "origin", "main")
        loser.push()
        (other if loser is sample else sample).git("pull", "-q", "origin", "main")


def version_tags(sample: Sample) -> set[str]:
    return {name for name in sample.remote_refs() if name.startswith("refs/tags/v")}


def no_orphan(sample: Sample) -> bool:
    tagged = sample.git("--git-dir", str(sample.origin), "tag", "--merged", "main")
    return {f"refs/tags/{name}" for name in tagged.splitlines()} == version_tags(sample)


def test_one_of_two_releasers_wins(released: Sample) -> None:
    run_rounds(released, 3)


@pytest.mark.slow
def test_one_of_two_releasers_wins_every_time(released: Sample) -> None:
    run_rounds(released, SEEDS)


def test_two_runs_in_one_clone_make_one_version(released: Sample) -> None:
    released.commit("feat: log out")
    codes = race(released, released)
    assert 0 in codes
    assert len(version_tags(released)) == 3
    assert no_orphan(released)
    assert released.git("status", "--porcelain") == ""
