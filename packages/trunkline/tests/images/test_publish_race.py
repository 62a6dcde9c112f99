"""Many publishers at once: what never changes is never changed."""

from dataclasses import replace

import pytest

from faults import Proxy
from seeds import SEEDS
from services import Service


def on_another_machine(service: Service) -> Service:
    """Clone a service; those who publish from there share no lock with the others."""
    sample = service.sample.clone("other")
    folder = sample.root.parent / "other-tmp"
    folder.mkdir()
    return service.at(replace(sample, env=sample.env | {"TMPDIR": str(folder)}))


def race(*started: tuple[Service, str]) -> None:
    """Publish at the same time, which must succeed."""
    processes = [service.start(ref) for service, ref in started]
    for process in processes:
        said, _ = process.communicate(timeout=600)
        assert process.returncode == 0, said


def never_changed(proxy: Proxy) -> bool:
    """Whether no tag that is created once was ever given a second digest."""
    fixed = [
        set(digests)
        for tag, digests in proxy.pointed.items()
        if tag.startswith("sha-") or tag[0].isdigit()
    ]
    assert fixed
    return all(len(digests) == 1 for digests in fixed)


def test_the_pointer_of_a_branch_ends_at_its_tip_whoever_is_first(
    watched: Service, proxy: Proxy
) -> None:
    other = on_another_machine(watched)
    for number in range(8):
        watched.push(f"feat: {number}")
        other.sample.git("pull", "-q", "origin", "main")
        tip = other.push(f"fix: {number}")
        race((watched, "main"), (other, "main"))
        assert watched.tags()["main"] == watched.tags()[f"sha-{tip[:12]}"]
        watched.sample.git("pull", "-q", "origin", "main")
    assert never_changed(proxy)


def test_latest_ends_at_the_highest_of_releases_that_race(
    watched: Service, proxy: Proxy
) -> None:
    sample, tags = watched.sample, []
    for number in range(8):
        sample.commit(f"feat: {number}")
        sample.bump()
        watched.prebuilt()
        tags.append(sample.git("describe", "--tags", "--exact-match"))
    for first, second, third in (tags[0:3], tags[3:6], tags[5:8]):
        race((watched, third), (watched, first), (watched, second))
    assert watched.tags()["latest"] == watched.tags()[tags[-1][1:]]
    ranks = [watched.tags()[tag[1:]] for tag in tags]
    assert set(proxy.pointed["latest"]) <= set(ranks[-1:])
    assert never_changed(proxy)


@pytest.mark.slow
@pytest.mark.usefixtures("engine")
def test_two_who_build_one_commit_push_one_image(
    watched: Service, proxy: Proxy
) -> None:
    """Let two machines build, test and push the image of one commit at a time.

    Not a lock but the build, which gives both the same bytes, keeps the tags in place.
    """
    sample = watched.sample
    other = on_another_machine(watched)
    for number in range(SEEDS // 2):
        sample.commit("feat: next", {"number.txt": f"{number}"})
        sample.bump()
        tag = sample.git("describe", "--tags", "--exact-match")
        other.sample.git("fetch", "-q", "--tags", "origin", "main")
        other.sample.git("reset", "-q", "--hard", "FETCH_HEAD")
        # Every other time one of them has the branch that the tag was pushed with.
        refs = (tag, tag) if number % 2 else ("main", tag)
        race((watched, refs[0]), (other, refs[1]))
        digest = set(proxy.pointed[watched.head])
        assert len(digest) == 1, f"{watched.head} was {digest}"
        assert watched.tags()[tag[1:]] in digest
        assert watched.tags()["latest"] in digest
    assert never_changed(proxy)
