"""Publishing as far as it needs no container engine: the images are there already."""

import json
from itertools import permutations
from pathlib import Path

import pytest

from registries import free_port, push_image
from samples import Sample
from services import Service


def test_a_branch_gets_its_commit_and_its_pointer(service: Service) -> None:
    digest = service.prebuilt()
    report = service.published()
    sha = service.head
    assert service.tags() == {sha: digest, "main": digest}
    assert report["kind"] == "branch"
    assert report["digest"] == digest
    assert report["built"] is False
    assert [tag["digest"] for tag in report["tags"]] == [digest, digest]


def test_what_is_built_already_needs_no_engine(service: Service) -> None:
    service.prebuilt()
    assert service.publish(**service.without_docker()).code == 0


def test_what_is_not_built_yet_needs_one_and_says_so(service: Service) -> None:
    ran = service.publish(**service.without_docker())
    assert ran.code == 1
    assert "Cannot connect to Docker" in ran.err
    assert "docker version" in ran.err
    assert service.tags() == {}


def test_a_dry_run_shows_the_plan_and_changes_nothing(service: Service) -> None:
    ran = service.publish("--dry-run", **service.without_docker())
    assert ran.code == 0
    assert "build" in ran.err
    assert "moves with branch main" in ran.err
    assert service.tags() == {}


def test_the_workflow_gets_the_digest(service: Service, tmp_path: Path) -> None:
    digest = service.prebuilt()
    output = tmp_path / "output"
    assert service.publish("--github-output", GITHUB_OUTPUT=str(output)).code == 0
    lines = output.read_text().splitlines()
    assert f"digest={digest}" in lines
    assert "built=false" in lines


def test_an_image_without_a_registry_is_refused_by_the_name_of_its_setting(
    sample: Sample,
) -> None:
    ran = sample.trunkline("publish")
    assert ran.code == 1
    assert "image `my-app`, which names no registry" in ran.err
    assert "[tool.trunkline] image" in ran.err


def test_a_registry_that_is_down_is_named_and_nothing_is_built(
    service: Service,
) -> None:
    gone = f"127.0.0.1:{free_port()}/my-app"
    ran = service.publish(TRUNKLINE_IMAGE=gone, **service.without_docker())
    assert ran.code == 1
    assert f"http://{gone.partition('/')[0]}" in ran.err
    assert "nothing answers there" in ran.err


def test_a_shallow_clone_is_refused(service: Service) -> None:
    sample = service.sample
    root = sample.root.parent / "shallow"
    sample.git("clone", "-q", "--depth=1", f"file://{sample.origin}", str(root))
    ran = Sample(root, sample.origin, sample.env).trunkline("publish")
    assert ran.code == 1
    assert "fetch-depth: 0" in ran.err


def test_a_commit_that_was_not_pushed_is_refused(service: Service) -> None:
    service.prebuilt(service.sample.commit("feat: local"))
    ran = service.publish()
    assert ran.code == 1
    assert "git push origin main" in ran.err
    assert "main" not in service.tags()


def test_a_branch_that_the_remote_lacks_is_refused(service: Service) -> None:
    service.sample.git("switch", "-q", "-c", "feat/x")
    ran = service.publish()
    assert ran.code == 1
    assert "is not there" in ran.err


def test_the_second_of_two_branches_with_one_tag_is_refused(service: Service) -> None:
    service.prebuilt()
    for branch in ("feat/a-b", "feat-a/b"):
        service.sample.git("push", "-q", "origin", f"HEAD:refs/heads/{branch}")
    ran = service.publish("feat-a/b")
    assert ran.code == 1
    assert "branches feat-a/b and feat/a-b both get image tag feat-a-b" in ran.err
    assert "feat-a-b" not in service.tags()


@pytest.mark.parametrize("late", ["main_", "Main"])
def test_no_name_of_a_branch_stops_the_image_of_the_trunk(
    service: Service, late: str
) -> None:
    service.prebuilt()
    service.sample.git("push", "-q", "origin", f"main:refs/heads/{late}")
    assert service.publish("main").code == 0
    ran = service.publish(f"refs/heads/{late}")
    assert (ran.code, "which main has" in ran.err) == (1, True), ran.all
    assert f":refs/heads/{late}-2 :refs/heads/{late}" in ran.err


def test_of_two_names_with_one_tag_the_branch_that_was_first_keeps_it(
    service: Service,
) -> None:
    sample = service.sample
    service.prebuilt()
    sample.git("switch", "-q", "-c", "feat/a-b")
    sample.commit("feat: be first")
    sample.push()
    service.prebuilt()
    assert service.publish("feat/a-b").code == 0
    sample.git("push", "-q", "origin", "main:refs/heads/feat-a/b")
    late = service.publish("refs/heads/feat-a/b")
    assert (late.code, "which feat/a-b has" in late.err) == (1, True), late.all
    assert service.publish("feat/a-b").code == 0
    # What the refusal says to type leads on.
    command = late.err.rpartition("type next: git ")[2].split("\n")[0]
    sample.git(*command.split())
    assert service.publish("refs/heads/feat-a/b-2").code == 0


def test_a_re_run_of_a_published_version_needs_no_branch(
    service: Service,
) -> None:
    sample = service.sample
    sample.commit("feat: serve")
    assert sample.trunkline("release", "--yes").code == 0
    tag = sample.git("describe")
    hotfix = f"{tag[:-1]}1"
    sample.git("switch", "-q", "-c", f"hotfix/{hotfix}", tag)
    sample.commit("fix: one")
    ran = sample.trunkline("release", "--yes", "--increment", "PATCH")
    assert ran.code == 0, ran.all
    service.prebuilt()
    assert service.publish(hotfix).code == 0
    sample.git("push", "-q", "--delete", "origin", f"hotfix/{hotfix}")
    assert service.publish(hotfix).code == 0
    assert sample.trunkline("guard", "--tag", hotfix).code == 0
    # Another commit's image is no proof.
    other = push_image(service.registry, "other")
    service.registry.put_manifest(hotfix[1:], other)
    ran = sample.trunkline("guard", "--tag", hotfix)
    assert (ran.code, "orphan-tag" in ran.err) == (1, True), ran.all


def test_a_ref_that_is_not_there_is_named(service: Service) -> None:
    ran = service.publish("refs/heads/feat/none")
    assert ran.code == 2
    assert "there is no refs/heads/feat/none" in ran.err


@pytest.mark.parametrize(
    "branch",
    [
        "latest",
        "1.2.0",
        "v1.2.0",
        "sha-abc",
        "ü/ß",
        "-",
        "/".join("x" * 30 for _ in range(10)),
    ],
)
def test_no_branch_takes_a_name_that_means_something_else(
    service: Service, branch: str
) -> None:
    digest = service.prebuilt()
    service.sample.git("push", "-q", "origin", f"HEAD:refs/heads/{branch}")
    service.sample.git("update-ref", f"refs/heads/{branch}", "HEAD")
    report = service.published(f"refs/heads/{branch}")
    sha, pointer = (tag["name"] for tag in report["tags"])
    assert service.tags() == {sha: digest, pointer: digest}
    assert pointer.startswith(("branch-", "x" * 30))


def test_a_job_of_an_older_push_that_ends_last_leaves_the_pointer(
    service: Service,
) -> None:
    old = service.push("feat: a")
    new = service.push("feat: b")
    service.published()
    service.sample.git("reset", "-q", "--hard", old)
    report = service.published("main")
    assert report["commit"] == old
    assert service.tags()["main"] == service.tags()[f"sha-{new[:12]}"]


def test_a_pointer_skips_a_newer_push_that_has_no_image(service: Service) -> None:
    old = service.push("feat: a")
    service.sample.commit("feat: broken")
    service.sample.push()
    service.sample.git("reset", "-q", "--hard", old)
    service.published("main")
    assert service.tags()["main"] == service.tags()[f"sha-{old[:12]}"]


def test_a_pointer_follows_a_branch_that_was_pushed_anew(service: Service) -> None:
    sample = service.sample
    sample.git("switch", "-q", "-c", "feat/x")
    service.push("feat: first try")
    service.published()
    sample.git("reset", "-q", "--hard", "main")
    other = sample.commit("feat: second try")
    sample.git("push", "-q", "--force", "origin", "HEAD")
    digest = service.prebuilt(other)
    service.published()
    assert service.tags()["feat-x"] == digest


def release(service: Service, *arguments: str) -> str:
    """Make a release with an image; returns its tag."""
    sample = service.sample
    sample.bump(*arguments)
    service.prebuilt()
    return sample.git("describe", "--tags", "--exact-match")


def test_a_release_gets_its_version_and_latest(service: Service) -> None:
    tag = release(service)
    report = service.published(tag)
    digest = report["digest"]
    sha = f"sha-{report['commit'][:12]}"
    assert service.tags() == {sha: digest, "0.1.0": digest, "latest": digest}
    assert (report["kind"], report["version"]) == ("release", "0.1.0")


def test_an_alpha_is_never_latest(service: Service) -> None:
    tag = release(service, "--prerelease", "alpha")
    report = service.published(tag)
    assert report["kind"] == "prerelease"
    assert {"latest", "0.1.0"}.isdisjoint(service.tags())
    assert service.tags()["0.1.0-alpha.0"] == report["digest"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_latest_is_the_highest_in_whatever_order_jobs_end(
    service: Service, order: tuple[int, ...]
) -> None:
    tags = []
    for message in ("feat: a", "feat: b", "fix: c"):
        service.sample.commit(message)
        tags.append(release(service))
    seen = []
    for number in order:
        service.published(tags[number])
        seen.append(service.tags().get("latest"))
    digests = [service.tags()[tag[1:]] for tag in tags]
    assert seen[-1] == digests[-1]
    ranks = [digests.index(digest) for digest in seen if digest]
    assert ranks == sorted(ranks)


def test_a_hotfix_of_an_older_line_does_not_become_latest(service: Service) -> None:
    sample = service.sample
    first = release(service)
    sample.commit("feat: more")
    second = release(service)
    for tag in (first, second):
        service.published(tag)
    sample.git("switch", "-q", "-c", "hotfix/v0.1.1", first)
    sample.commit("fix: crash")
    hotfix = release(service, "--increment", "PATCH")
    report = service.published(hotfix)
    assert service.tags()["0.1.1"] == report["digest"]
    assert service.tags()["latest"] == service.tags()["0.2.0"]


def test_a_version_whose_git_tag_was_deleted_stays_latest_everywhere(
    service: Service,
) -> None:
    sample = service.sample
    first = release(service)
    sample.commit("feat: more")
    second = release(service)
    for tag in (first, second):
        service.published(tag)
    sample.git("push", "-q", "--no-verify", "origin", f":refs/tags/{second}")
    planned = json.loads(sample.trunkline("tags", first, "--json").out)
    report = service.published(first)
    assert [tag["name"] for tag in planned["tags"][1:]] == ["0.1.0"]
    assert [tag["name"] for tag in report["tags"][1:]] == ["0.1.0"]
    assert service.tags()["latest"] == service.tags()["0.2.0"]


def test_a_version_that_has_another_image_is_refused_with_both_digests(
    service: Service,
) -> None:
    tag = release(service)
    own = service.tags()[service.head]
    other = push_image(service.registry, "other")
    service.registry.put_manifest("0.1.0", other)
    ran = service.publish(tag)
    assert ran.code == 1
    assert own in ran.err
    assert other.digest in ran.err
    assert service.tags()["0.1.0"] == other.digest
    assert "latest" not in service.tags()


def test_a_version_of_another_commit_is_refused_before_anything_is_built(
    service: Service,
) -> None:
    service.sample.bump()
    other = push_image(service.registry, "other")
    service.registry.put_manifest("0.1.0", other)
    ran = service.publish("v0.1.0", **service.without_docker())
    assert ran.code == 1
    assert other.digest in ran.err
    assert "create-only" in ran.err


def test_a_tag_that_is_on_no_branch_of_the_remote_is_refused(service: Service) -> None:
    sample = service.sample
    sample.git("switch", "-q", "-c", "feat/x")
    assert sample.cz("bump", "--yes", PATH=_unguarded(service)).code == 0
    sample.git("push", "-q", "origin", "v0.1.0")
    service.prebuilt()
    ran = service.publish("v0.1.0")
    assert ran.code == 1
    assert "orphan-tag" in ran.err
    assert "0.1.0" not in service.tags()


def _unguarded(service: Service) -> str:
    """Return a PATH on which the guard lets everything pass."""
    folder = service.sample.root.parent / "unguarded"
    folder.mkdir()
    (folder / "trunkline").write_text("#!/bin/sh\n")
    (folder / "trunkline").chmod(0o755)
    return f"{folder}:{service.sample.env['PATH']}"


def test_a_commit_tag_that_was_deleted_comes_back_without_a_build(
    service: Service,
) -> None:
    digest = service.prebuilt()
    service.published()
    sha = service.head
    service.forget(sha)
    assert sha not in service.tags()
    report = service.published(**service.without_docker())
    assert report["built"] is False
    assert service.tags() == {sha: digest, "main": digest}


def test_the_report_is_that_of_the_plan_with_digests(service: Service) -> None:
    service.prebuilt()
    plan = json.loads(service.publish("--dry-run", "--json").out)
    report = service.published()
    assert [tag["digest"] for tag in plan["tags"]] == [report["digest"], None]
    assert {**plan, "tags": []} == {**report, "tags": []}
