"""Many publishers at once: what never changes is never changed."""

import pytest

from faults import Proxy
from samples import Sample
from services import Service, add_service


@pytest.fixture
def watched(sample: Sample, proxy: Proxy) -> Service:
    """A service whose registry's every change of a tag is recorded."""
    return add_service(sample, proxy.server)


def race(*started: tuple[Service, str]) -> list[int]:
    """Publish at the same time; returns the exit codes."""
    processes = [service.start(ref) for service, ref in started]
    return [process.wait(timeout=300) for process in processes]


def never_changed(proxy: Proxy) -> bool:
    """Whether no tag that is created once was ever given a second digest."""
    fixed = {
        tag for tag, _ in proxy.written if tag.startswith("sha-") or tag[0].isdigit()
    }
    assert fixed
    return all(len(proxy.digests(tag)) == 1 for tag in fixed)


def test_the_pointer_of_a_branch_ends_at_its_tip_whoever_is_first(
    watched: Service, proxy: Proxy
) -> None:
    other = watched.at(watched.sample.clone("other"))
    for number in range(8):
        watched.push(f"feat: {number}")
        other.sample.git("pull", "-q", "origin", "main")
        tip = other.push(f"fix: {number}")
        assert race((watched, "main"), (other, "main")) == [0, 0]
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
        codes = race((watched, third), (watched, first), (watched, second))
        assert codes == [0, 0, 0]
    assert watched.tags()["latest"] == watched.tags()[tags[-1][1:]]
    ranks = [watched.tags()[tag[1:]] for tag in tags]
    assert proxy.digests("latest") <= set(ranks[-1:])
    assert never_changed(proxy)


def run_rounds(service: Service, proxy: Proxy, rounds: int) -> None:
    """Let two clones build, test and push the image of one commit at a time."""
    sample = service.sample
    other = service.at(sample.clone("other"))
    for number in range(rounds):
        sample.commit("feat: next", {"number.txt": f"{number}"})
        sample.bump()
        tag = sample.git("describe", "--tags", "--exact-match")
        other.sample.git("fetch", "-q", "--tags", "origin", "main")
        other.sample.git("reset", "-q", "--hard", "FETCH_HEAD")
        # Every other time one of them has the branch that the tag was pushed with.
        refs = (tag, tag) if number % 2 else ("main", tag)
        assert race((service, refs[0]), (other, refs[1])) == [0, 0]
        digest = proxy.digests(service.head)
        assert len(digest) == 1, f"{service.head} was {digest}"
        assert service.tags()[tag[1:]] in digest
        assert service.tags()["latest"] in digest
    assert never_changed(proxy)


@pytest.mark.slow
@pytest.mark.usefixtures("engine")
def test_two_who_build_one_commit_push_one_image(
    watched: Service, proxy: Proxy
) -> None:
    run_rounds(watched, proxy, 2)


@pytest.mark.slow
@pytest.mark.usefixtures("engine")
def test_thirty_races_of_two_builders_never_move_a_tag(
    watched: Service, proxy: Proxy
) -> None:
    run_rounds(watched, proxy, 30)
