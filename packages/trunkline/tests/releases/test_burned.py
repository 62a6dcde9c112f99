"""Nothing burns a version: branch and tag are both on the remote, or neither is."""

import os
import random
import time
from pathlib import Path

import pytest

from githooks import install_hook, protect
from kills import kill_after
from samples import Sample
from seeds import SEEDS

RELEASE = ("trunkline", "release", "--yes")
# A server that goes on when its client is gone, and notes who it is.
SERVER = "setsid sh -c 'echo $$ >>../servers; exec git-receive-pack \"$0\"'"
REFUSE = "case $1 in {}) echo no; exit 1;; esac"
# What a remote does with a push: a hook, and its script.
FAULTS = {
    "refuses the branch": ("update", REFUSE.format("refs/heads/*")),
    "refuses the tag": ("update", REFUSE.format("refs/tags/*")),
    "refuses all": ("pre-receive", "exit 1"),
    "dies before": ("pre-receive", "kill -9 $PPID"),
    "dies at the branch": ("update", "case $1 in refs/heads/*) kill -9 $PPID;; esac"),
    "dies at the tag": ("update", "case $1 in refs/tags/*) kill -9 $PPID;; esac"),
    "dies prepared": ("reference-transaction", '[ "$1" != prepared ] || kill -9 $PPID'),
    "dies after": ("reference-transaction", '[ "$1" != committed ] || kill -9 $PPID'),
    "dies without an answer": ("post-receive", "kill -9 $PPID"),
    "answers late": ("pre-receive", "sleep 1"),
}


@pytest.fixture
def served(released: Sample) -> Sample:
    released.git("config", "remote.origin.receivepack", SERVER)
    released.commit("feat: log out")
    return released


def settle(sample: Sample, hook: Path) -> None:
    """Wait until every server has ended, and start the remote again."""
    servers = sample.root.parent / "servers"
    for line in servers.read_text().split() if servers.exists() else []:
        while running(int(line)):
            time.sleep(0.05)
    hook.unlink(missing_ok=True)
    for lock in sample.origin.rglob("*.lock"):
        lock.unlink()


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def both_or_neither(sample: Sample) -> bool:
    refs = sample.remote_refs()
    tag = refs.get("refs/tags/v1.2.0")
    moved = refs["refs/heads/main"] != refs["refs/tags/v1.1.0"]
    return tag == refs["refs/heads/main"] if moved else tag is None


def assert_ends_well(sample: Sample) -> None:
    ran = sample.trunkline("release")
    assert ran.code == 0, ran.all
    refs = sample.remote_refs()
    assert refs["refs/tags/v1.2.0"] == refs["refs/heads/main"]
    assert "refs/tags/v1.3.0" not in refs
    assert sample.git("rev-parse", "HEAD") == refs["refs/heads/main"]
    assert sample.git("status", "--porcelain") == ""


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_the_remote_does(served: Sample, fault: str) -> None:
    name, script = FAULTS[fault]
    install_hook(served.origin, name, script)
    served.run(*RELEASE)
    settle(served, served.origin / "hooks" / name)
    assert both_or_neither(served)
    assert_ends_well(served)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_the_remote_does_to_whoever_is_killed(
    served: Sample, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - chance, not a secret
    for _ in range(chance.randint(1, 3)):
        name, script = FAULTS[chance.choice(list(FAULTS))]
        install_hook(served.origin, name, script)
        if chance.random() < 0.5:
            kill_after(served, chance.uniform(0.5, 3), RELEASE)
        else:
            served.run(*RELEASE)
        settle(served, served.origin / "hooks" / name)
        assert both_or_neither(served)
    assert_ends_well(served)


def lose_the_branch(sample: Sample) -> None:
    """Leave a tag on the remote without its branch, as a plain push does."""
    sample.commit("feat: more")
    assert sample.cz("bump", "--yes").code == 0
    protect(sample.origin)
    assert sample.run("git", "push", "--follow-tags").code != 0
    assert "refs/tags/v1.2.0" in sample.remote_refs()
    (sample.origin / "hooks/update").unlink()


@pytest.mark.parametrize("refused", ["refs/heads/main", "refs/tags/*"])
def test_a_plain_push_to_a_protected_trunk_or_of_a_refused_tag_sends_nothing(
    released: Sample, refused: str
) -> None:
    install_hook(released.root / ".git", "pre-push", 'exec trunkline push-check "$@"')
    install_hook(released.origin, "update", REFUSE.format(refused))
    start = released.git("rev-parse", "HEAD")
    released.commit("feat: more")
    feature = released.git("rev-parse", "HEAD")
    assert released.cz("bump", "--yes").code == 0
    before = released.remote_refs()
    ran = released.run("git", "push", "--follow-tags")
    assert (ran.code, "rule `protected`" in ran.err) == (1, True), ran.all
    assert released.remote_refs() == before
    # What it says to type: the workflow finds the clone as it was before the bump.
    fix = ran.err.rpartition("type next: ")[2].split(" && gh workflow")[0]
    assert released.run("sh", "-c", fix).code == 0
    assert released.git("rev-parse", "HEAD") == feature != start
    # Elsewhere a plain push goes through, hook or not.
    (released.origin / "hooks/update").unlink()
    assert released.cz("bump", "--yes").code == 0
    ran = released.run("git", "push", "--follow-tags")
    assert ran.code == 0, ran.all
    assert both_or_neither(released)
    assert "refs/tags/v1.2.0" in released.remote_refs()


def test_a_tag_without_its_branch_is_finished_by_anyone(released: Sample) -> None:
    """Protected trunk: an orphan tag on the remote has one end, `release`."""
    other = released.clone("other")
    released.push()
    lose_the_branch(released)
    other.git("pull", "-q", "--tags", "origin", "main")
    plan = other.trunkline("release", "--dry-run")
    said = "v1.2.0 is half-made; would: push branch and tag"
    assert (plan.code, said in plan.out) == (0, True), plan.all
    ran = other.trunkline("release")
    assert (ran.code, "released v1.2.0" in ran.out) == (0, True), ran.all
    refs = other.remote_refs()
    assert refs["refs/heads/main"] == refs["refs/tags/v1.2.0"]
    assert other.trunkline("guard", "--tag", "v1.2.0").code == 0


def test_a_tag_that_the_trunk_has_left_behind_is_deleted(released: Sample) -> None:
    other = released.clone("other")
    lose_the_branch(released)
    other.commit("feat: theirs")
    other.push()
    ran = other.trunkline("release")
    assert (ran.code, "rule `new-tag`" in ran.err) == (1, True), ran.all
    command = ran.err.rpartition("type next: ")[2].strip()
    assert command.startswith("git push --no-verify origin :refs/tags/v1.2.0")
    assert other.run("sh", "-c", command).code == 0
    assert other.trunkline("release").code == 0
    assert other.version == "1.2.0"
