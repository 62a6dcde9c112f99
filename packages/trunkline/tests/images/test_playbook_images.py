"""The playbook again, with what CI does for each push: real images, real tags."""

from collections.abc import Mapping

import pytest
import tomlkit

from playbook import DOCUMENT, begin, blocks, follow
from registries import Server, random_path
from samples import Sample
from services import DOCKERFILE, SERVER, Service, docker_environment

BLOCKS = list(blocks(DOCUMENT.read_text(encoding="utf-8")))
MAIN = {"main": "refs/heads/main"}


def versions(*names: str, latest: str) -> dict[str, str]:
    """Say which tag of git each of these image tags stands for."""
    return {
        **{name: f"refs/tags/v{name}" for name in names},
        "latest": f"refs/tags/v{latest}",
    }


ONE = versions("0.1.0", latest="0.1.0")
ALPHA = versions("0.1.0", "0.2.0-alpha.0", latest="0.1.0")
ALPHAS = versions("0.1.0", "0.2.0-alpha.0", "0.2.0-alpha.1", latest="0.1.0")
GOLD = versions(*ALPHAS.keys() - {"latest"}, "0.2.0", latest="0.2.0")
HOTFIX = versions(*GOLD.keys() - {"latest"}, "0.1.1", latest="0.2.0")
BRANCH = {"hotfix-v0-1-1": "refs/heads/hotfix/v0.1.1"}
LOGIN = {"feat-login-button": "refs/heads/feat/login-button"}

# Scenario by scenario, what the registry holds after each push besides the images of
# commits: each tag, and the ref of git whose commit it has.
AFTER_EACH_PUSH = {
    "A": [MAIN | LOGIN, MAIN],
    "B": [MAIN | ONE],
    "C": [MAIN | ONE, MAIN | ALPHA, MAIN | ALPHAS, MAIN | GOLD],
    "D": [MAIN | HOTFIX | BRANCH, MAIN | HOTFIX | BRANCH],
}


class Pipeline:
    """What CI does: publish every ref that was pushed, prune when a branch is gone."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.checkout = service.sample.clone("ci")
        self.refs: Mapping[str, str] = {}

    def run(self) -> bool:
        """Catch up with origin; tells whether there was anything to do."""
        refs = self.service.sample.remote_refs()
        pushed = {ref for ref, oid in refs.items() if self.refs.get(ref) != oid}
        gone = self.refs.keys() - refs.keys()
        self.refs = refs
        runner = self.service.at(self.checkout)
        for ref in sorted(pushed):
            self.checkout.git("fetch", "-q", "--prune", "--tags", "origin")
            branch = ref.removeprefix("refs/heads/")
            place = ["--detach"] if branch == ref else ["-B", branch]
            self.checkout.git("checkout", "-q", *place, refs[ref])
            runner.published(ref)
        if gone:
            ran = self.checkout.trunkline("prune", "--yes")
            assert ran.code == 0, ran.all
        return bool(pushed or gone)


@pytest.fixture
def pipeline(sample: Sample, registry_server: Server, engine: None) -> Pipeline:
    """The repository where the playbook begins, and a pipeline that has caught up."""
    path = random_path()
    document = tomlkit.parse(sample.read("pyproject.toml"))
    document["tool"]["trunkline"]["image"] = f"{registry_server.host}/{path}"
    document["tool"]["trunkline"].pop("flags", None)
    sample.commit("build: name the image", {"pyproject.toml": tomlkit.dumps(document)})
    begin(sample, {"Dockerfile": DOCKERFILE, "server.py": SERVER})
    sample.env |= docker_environment(sample)
    service = Service(sample, registry_server.connect(path), registry_server)
    pipeline = Pipeline(service)
    assert pipeline.run()
    return pipeline


@pytest.mark.slow
def test_after_each_push_the_registry_has_the_tags_that_it_should_have(
    pipeline: Pipeline,
) -> None:
    check(pipeline, MAIN)
    for scenario, expected in AFTER_EACH_PUSH.items():
        found = []
        for block in (block for block in BLOCKS if block.scenario == scenario):
            follow(pipeline.service.sample, block)
            if pipeline.run():
                found.append(block)
                assert len(found) <= len(expected), block.place
                check(pipeline, expected[len(found) - 1])
        assert len(found) == len(expected), scenario


def check(pipeline: Pipeline, expected: Mapping[str, str]) -> None:
    """Compare every tag, by digest, with the image of its ref's commit."""
    tags = pipeline.service.tags()
    images = {tag: digest for tag, digest in tags.items() if tag.startswith("sha-")}
    pointers = {tag: digest for tag, digest in tags.items() if tag not in images}
    assert pointers == {
        tag: images[f"sha-{pipeline.refs[ref][:12]}"] for tag, ref in expected.items()
    }
    # No two commits share an image, and none was built twice.
    assert len(set(images.values())) == len(images)
