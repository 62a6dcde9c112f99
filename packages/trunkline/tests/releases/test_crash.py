"""A release that is killed with -9, at every step and at any time, ends well."""

import os
import random
from pathlib import Path

import pytest

from kills import kill_after, kill_at_step
from samples import Sample
from seeds import SEEDS, STRIDE

# A release starts about this many programs that are found on PATH.
STEPS = 75
# Seconds that a release takes on a slow machine.
LONGEST = 4.0
QUICK = (3, 28, 38, 48, 58)

RELEASE = ("trunkline", "release", "--yes")
# The guard is started as the hook of commitizen.
COUNTED = ("git", "trunkline")


@pytest.fixture
def busy(released: Sample) -> Sample:
    """A sample with a feature to release, and with things of its owner."""
    released.write("scratch.txt", "mine")
    released.git("stash", "-u", "-q")
    released.git("branch", "feat/mine")
    released.git("tag", "bookmark")
    released.write(".venv/mine", "ignored")
    # A server does not die with its client.
    released.git("config", "remote.origin.receivepack", "setsid git-receive-pack")
    released.commit("feat: log out")
    return released


def belongings(sample: Sample) -> tuple[str, ...]:
    refs = ("refs/stash", "refs/heads/feat/mine", "refs/tags/bookmark")
    return (*(sample.git("rev-parse", ref) for ref in refs), sample.read(".venv/mine"))


def assert_released_once(sample: Sample) -> None:
    """Exactly one new version, whole, on origin; nothing of the crash is left."""
    refs = sample.remote_refs()
    tags = {name for name in refs if name.startswith("refs/tags/")}
    assert tags == {"refs/tags/v1.0.0", "refs/tags/v1.1.0", "refs/tags/v1.2.0"}
    assert refs["refs/tags/v1.2.0"] == refs["refs/heads/main"]
    assert sample.git("cat-file", "-t", "v1.2.0") == "tag"
    assert sample.git("rev-parse", "HEAD") == refs["refs/heads/main"]
    assert sample.git("status", "--porcelain") == ""
    assert sample.git("log", "--format=%s", "v1.1.0..").splitlines() == [
        "bump: version 1.1.0 → 1.2.0",
        "feat: log out",
    ]
    assert sample.read("CHANGELOG.md").count("## v1.2.0") == 1
    assert sample.run("uv", "lock", "--check", "--offline").code == 0
    git_dir = sample.root / ".git"
    assert not (git_dir / "trunkline/release.json").exists()
    assert [
        path for path in git_dir.rglob("*.lock") if path.name != "release.lock"
    ] == []
    assert strangers(sample.root) == []


def strangers(root: Path) -> list[str]:
    known = {".git", ".gitignore", ".venv", "CHANGELOG.md", "packages"}
    known |= {"pyproject.toml", "uv.lock"}
    return sorted(set(os.listdir(root)) - known)


def check_rerun(sample: Sample, mine: tuple[str, ...]) -> None:
    ran = sample.trunkline("release", "--yes")
    assert ran.code == 0, ran.all
    assert_released_once(sample)
    assert belongings(sample) == mine


@pytest.mark.parametrize("step", QUICK)
def test_killed_at_a_step(busy: Sample, step: int) -> None:
    mine = belongings(busy)
    kill_at_step(busy, step, RELEASE, counted=COUNTED)
    check_rerun(busy, mine)


@pytest.mark.slow
@pytest.mark.parametrize("step", sorted({*range(1, STEPS, STRIDE)} - {*QUICK}))
def test_killed_at_every_step(busy: Sample, step: int) -> None:
    mine = belongings(busy)
    kill_at_step(busy, step, RELEASE, counted=COUNTED)
    check_rerun(busy, mine)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEEDS))
def test_killed_at_any_time_and_again(busy: Sample, seed: int) -> None:
    mine = belongings(busy)
    chance = random.Random(seed)  # noqa: S311 - chance, not a secret
    for _ in range(chance.randint(1, 3)):
        kill_after(busy, chance.uniform(0.1, LONGEST), RELEASE)
    check_rerun(busy, mine)
