"""`trunkline prune` with a real repository and a real registry."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from faults import Fault, Proxy
from registries import Server, push_image, push_index, running_registry
from samples import Ran, Sample
from trunkline.images.labels import BRANCH, CREATED
from trunkline.images.layer_cache import cache_tag
from trunkline.registry.client import Registry
from trunkline.registry.manifests import Manifest

OLD = datetime(2026, 1, 1, tzinfo=UTC)


def image(registry: Registry, text: str, made: datetime | None = OLD) -> Manifest:
    """Push an image as `publish` makes it; with `made` None, as somebody else does."""
    labels = {BRANCH: "feat/gone", CREATED: made.isoformat()} if made else {}
    return push_image(registry, text, labels=labels)


def point(registry: Registry, manifest: Manifest, *tags: str) -> None:
    for tag in tags:
        registry.put_manifest(tag, manifest)


def commit_tag(sample: Sample, ref: str = "HEAD") -> str:
    return f"sha-{sample.git('rev-parse', '--short=12', f'{ref}^{{commit}}')}"


def prune(sample: Sample, registry: Registry, *options: str) -> Ran:
    environ = {"TRUNKLINE_IMAGE": str(registry.name), "DOCKER_CONFIG": "/nonexistent"}
    return sample.trunkline("prune", *options, **environ)


def filled(sample: Sample, registry: Registry) -> dict[str, Manifest]:
    """Fill a registry as a project's life does; images by what they are of."""
    images = {
        name: image(registry, name) for name in ("main", "gone", "v1.1.0", "v1.0.0")
    }
    point(registry, images["main"], "main")
    point(registry, push_image(registry, "layers"), cache_tag("linux/amd64"))
    point(registry, images["gone"], "feat-gone", "sha-bbbbbbbbbbbb")
    point(registry, images["v1.1.0"], "1.1.0", "latest", commit_tag(sample, "v1.1.0"))
    # A branch that was released and deleted.
    point(
        registry, images["v1.0.0"], "1.0.0", "feat-merged", commit_tag(sample, "v1.0.0")
    )
    return images


def test_images_of_branches_that_are_gone_go_and_nothing_else(
    released: Sample, registry: Registry
) -> None:
    images = filled(released, registry)
    before = registry.tags()
    ran = prune(released, registry, "--yes")
    assert ran.code == 0, ran.all
    gone = {"feat-gone", "sha-bbbbbbbbbbbb", "feat-merged"}
    assert registry.tags() == sorted(set(before) - gone)
    assert registry.manifest(images["gone"].digest) is None
    assert registry.digest("1.0.0") == images["v1.0.0"].digest


def test_a_dry_run_prints_the_plan_and_changes_nothing(
    released: Sample, registry: Registry
) -> None:
    filled(released, registry)
    before = registry.tags()
    dry = prune(released, registry, "--dry-run")
    assert (dry.code, registry.tags()) == (0, before)
    assert "delete  feat-gone" in dry.err
    assert "untag   feat-merged" in dry.err
    done = prune(released, registry, "--yes")
    assert (done.code, done.err.startswith(dry.err)) == (0, True), done.all


def test_pruning_again_finds_nothing(released: Sample, registry: Registry) -> None:
    filled(released, registry)
    prune(released, registry, "--yes")
    ran = prune(released, registry, "--yes", "--json")
    report = json.loads(ran.out)
    assert (report["untag"], report["delete"], report["done"]) == ([], [], False)


def test_a_machine_reads_the_plan(released: Sample, registry: Registry) -> None:
    images = filled(released, registry)
    report = json.loads(prune(released, registry, "--dry-run", "--json").out)
    assert report["image"] == str(registry.name)
    assert report["untag"] == ["feat-merged"]
    assert report["delete"] == [images["gone"].digest]
    why = {tag["tag"]: tag["why"] for tag in report["tags"]}
    assert why["main"] == "branch main exists"
    assert why["feat-gone"] == "its branch is gone"


def test_a_live_branch_and_its_commits_stay(
    released: Sample, registry: Registry
) -> None:
    # Not known in this clone, as in a fresh checkout.
    other = released.clone("other")
    other.git("checkout", "-q", "-b", "feat/there")
    other.commit("feat: there")
    other.push()
    point(registry, image(registry, "there"), "feat-there", commit_tag(other))
    assert prune(released, registry, "--yes").code == 0
    assert registry.tags() == ["feat-there", commit_tag(other)]


@pytest.mark.parametrize("how", ["option", "setting"])
def test_what_is_to_be_kept_stays(
    released: Sample, registry: Registry, how: str
) -> None:
    point(registry, image(registry, "gone"), "demo-friday", "sha-bbbbbbbbbbbb")
    options = ("--keep", "demo-*") if how == "option" else ()
    if how == "setting":
        text = released.read("pyproject.toml")
        setting = '[tool.trunkline]\nkeep = ["demo-*"]'
        text = text.replace("[tool.trunkline]", setting)
        released.commit("chore: keep demos", {"pyproject.toml": text})
    assert prune(released, registry, "--yes", *options).code == 0
    # The commit's tag goes, and the image stays.
    assert registry.tags() == ["demo-friday"]


def test_what_runs_somewhere_stays(released: Sample, registry: Registry) -> None:
    point(registry, image(registry, "gone"), "feat-gone", "live.staging")
    assert prune(released, registry, "--yes").code == 0
    assert registry.tags() == ["live.staging"]


def test_a_young_commit_stays_without_its_branch(
    released: Sample, registry: Registry
) -> None:
    young = image(registry, "young", datetime.now(UTC) - timedelta(days=2))
    point(registry, young, "feat-gone", "sha-bbbbbbbbbbbb")
    assert prune(released, registry, "--yes").code == 0
    assert registry.tags() == ["sha-bbbbbbbbbbbb"]


def test_the_trunks_older_images_go_where_that_is_wanted(
    released: Sample, registry: Registry
) -> None:
    text = released.read("pyproject.toml")
    setting = "[tool.trunkline]\nkeep_commits = 2"
    text = text.replace("[tool.trunkline]", setting)
    released.commit("chore: keep two", {"pyproject.toml": text})
    for number in (1, 2):
        released.commit(f"fix: number {number}")
    released.push()
    tags = [commit_tag(released, f"HEAD~{number}") for number in range(3)]
    for tag in tags:
        point(registry, image(registry, tag), tag)
    assert prune(released, registry, "--yes").code == 0
    assert registry.tags() == sorted(tags[:2])


def test_what_somebody_else_has_pushed_stays(
    released: Sample, registry: Registry
) -> None:
    point(registry, image(registry, "theirs", None), "nightly", "sha-bbbbbbbbbbbb")
    assert prune(released, registry, "--yes").code == 0
    assert registry.tags() == ["nightly", "sha-bbbbbbbbbbbb"]


def test_the_parts_of_an_index_go_unless_another_one_has_them(
    released: Sample, registry: Registry
) -> None:
    shared, own = image(registry, "shared"), image(registry, "own")
    kept, gone = push_index(registry, shared), push_index(registry, own, shared)
    point(registry, kept, "main")
    point(registry, gone, "feat-gone")
    assert prune(released, registry, "--yes").code == 0
    there = {
        one.digest: registry.manifest(one.digest) for one in (kept, gone, shared, own)
    }
    assert {digest for digest, found in there.items() if found} == {
        kept.digest,
        shared.digest,
    }


def test_an_index_of_indexes_is_refused_and_nothing_is_deleted(
    released: Sample, registry: Registry
) -> None:
    inner = push_index(registry, image(registry, "gone"))
    point(registry, push_index(registry, inner), "feat-gone")
    ran = prune(released, registry, "--yes")
    assert (ran.code, "rule `nested-index`" in ran.err) == (1, True), ran.all
    assert registry.manifest(inner.digest)
    assert registry.tags() == ["feat-gone"]


def test_nobody_is_asked_where_nobody_can_answer(
    released: Sample, registry: Registry
) -> None:
    filled(released, registry)
    before = registry.tags()
    ran = prune(released, registry)
    assert (ran.code, registry.tags()) == (2, before)
    assert "type next: the same command with --yes" in ran.err


def test_a_registry_that_does_not_delete_keeps_everything(
    released: Sample, tmp_path: Path
) -> None:
    folder = tmp_path / "registry"
    with running_registry(folder, delete=False) as server, server.connect() as there:
        filled(released, there)
        before = {tag: there.digest(tag) for tag in there.tags()}
        ran = prune(released, there, "--yes")
        assert (ran.code, "does not delete images" in ran.err) == (1, True)
        assert {tag: there.digest(tag) for tag in there.tags()} == before


def test_a_tag_whose_removal_fails_is_put_back(
    released: Sample, registry: Registry, proxy: Proxy
) -> None:
    images = filled(released, registry)
    # The first one is the probe; each is tried five times.
    proxy.faults += [Fault("^DELETE"), Fault("^DELETE", status=403, times=9)]
    with proxy.server.connect(registry.name.path) as ours:
        ran = prune(released, ours, "--yes")
    assert (ran.code, "answered 403" in ran.err) == (1, True), ran.all
    assert registry.digest("feat-merged") == images["v1.0.0"].digest


def test_what_an_interrupted_run_left_goes_the_next_time(
    released: Sample, registry: Registry, proxy: Proxy
) -> None:
    images = filled(released, registry)
    refused = [Fault(kind, status=403, times=9) for kind in ("^DELETE", "^PUT .*/feat")]
    # The tag's new image is stored and can be neither deleted nor replaced.
    proxy.faults += [Fault("^DELETE"), Fault("^PUT .*/feat-merged"), *refused]
    with proxy.server.connect(registry.name.path) as ours:
        assert prune(released, ours, "--yes").code == 1
    assert registry.digest("feat-merged") != images["v1.0.0"].digest
    assert prune(released, registry, "--yes").code == 0
    assert "feat-merged" not in registry.tags()
    assert registry.digest("1.0.0") == images["v1.0.0"].digest


def test_a_tag_that_moves_while_we_prune_is_left(
    released: Sample, registry: Registry, proxy: Proxy
) -> None:
    filled(released, registry)
    new = image(registry, "new")
    # Somebody pushes the branch again after we have looked.
    proxy.faults.append(
        Fault("^DELETE", before=lambda: point(registry, new, "feat-merged"))
    )
    with proxy.server.connect(registry.name.path) as ours:
        ran = prune(released, ours, "--yes")
    assert (ran.code, "it was moved in the meantime" in ran.err) == (0, True), ran.all
    assert registry.digest("feat-merged") == new.digest


def test_prune_goes_on_past_what_cannot_be_deleted(
    released: Sample, registry: Registry, proxy: Proxy
) -> None:
    stuck, free = image(registry, "stuck"), image(registry, "free")
    point(registry, stuck, "feat-stuck")
    point(registry, free, "feat-free")
    body = b'{"errors": [{"code": "DENIED", "message": "over 5000 downloads"}]}'
    proxy.faults = [Fault(f"^DELETE .*{stuck.digest}", status=400, body=body)]
    with proxy.server.connect(registry.name.path) as ours:
        ran = prune(released, ours, "--yes")
    assert (ran.code, registry.tags()) == (1, ["feat-stuck"]), ran.all
    assert "1 were not removed" in ran.err
    assert f"{stuck.digest}: DELETE" in ran.err


def test_prune_waits_as_a_403_tells_it_to(
    released: Sample, registry: Registry, proxy: Proxy
) -> None:
    point(registry, image(registry, "gone"), "feat-gone")
    proxy.faults = [Fault("^DELETE", status=403, headers={"Retry-After": "1"})]
    with proxy.server.connect(registry.name.path) as ours:
        ran = prune(released, ours, "--yes")
    assert (ran.code, registry.tags()) == (0, []), ran.all


def test_an_answer_that_is_missing_deletes_nothing(
    released: Sample, registry: Registry, proxy: Proxy
) -> None:
    filled(released, registry)
    proxy.faults.append(Fault("^(HEAD|GET) .*/manifests/1.0.0", status=403, times=99))
    with proxy.server.connect(registry.name.path) as ours:
        ran = prune(released, ours, "--yes")
    assert (ran.code, proxy.count("^(DELETE|PUT)")) == (1, 0), ran.all


@pytest.mark.parametrize(
    ("break_it", "rule"),
    [
        (("config", "remote.origin.url", "/nonexistent.git"), "remote"),
        (("push", "-q", "origin", ":refs/heads/main"), "trunk"),
    ],
)
def test_without_the_remotes_branches_nothing_is_deleted(
    released: Sample, registry: Registry, break_it: tuple[str, ...], rule: str
) -> None:
    released.git(
        "-C", str(released.origin), "config", "receive.denyDeleteCurrent", "ignore"
    )
    filled(released, registry)
    before = registry.tags()
    released.git(*break_it)
    ran = prune(released, registry, "--yes")
    assert (ran.code, f"rule `{rule}`" in ran.err) == (1, True), ran.all
    assert registry.tags() == before


def test_an_image_without_a_registry_is_refused(released: Sample) -> None:
    ran = released.trunkline("prune", "--dry-run")
    assert (ran.code, "rule `registry`" in ran.err) == (1, True), ran.all


def test_a_repository_that_does_not_exist_has_nothing_to_prune(
    released: Sample, registry_server: Server
) -> None:
    with registry_server.connect() as registry:
        assert prune(released, registry, "--yes").code == 0
