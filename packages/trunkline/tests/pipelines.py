"""What CI does with each push to a remote, with real tags in a real registry.

How images are built is tested elsewhere: here that of a commit is one small layer.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from registries import Server, random_path
from samples import Sample
from services import Service


@dataclass(frozen=True, slots=True)
class Pushed:
    """Branches and tags of the remote after a push, and what the registry then has."""

    refs: Mapping[str, str]
    # Each tag but those of commits, and the commit's tag that has the same image.
    images: Mapping[str, str]

    def commit_tags(self, expected: Mapping[str, str]) -> dict[str, str]:
        """Name for each image tag the commit's tag of the ref that it stands for."""
        return {tag: f"sha-{self.refs[ref][:12]}" for tag, ref in expected.items()}


class Pipeline:
    """It publishes every ref that was pushed, and prunes when a branch is gone."""

    def __init__(self, sample: Sample, server: Server) -> None:
        path = random_path()
        env = sample.env | {"TRUNKLINE_IMAGE": f"{server.host}/{path}"}
        clone = Sample(sample.root.parent / "ci", sample.origin, env)
        sample.git("clone", "-q", str(sample.origin), str(clone.root))
        self.service = Service(clone, server.connect(path), server)
        self.refs: Mapping[str, str] = {}

    def run(self) -> Pushed | None:
        """Catch up with the remote, if there is anything to do."""
        clone, before = self.service.sample, self.refs
        self.refs = clone.remote_refs()
        if self.refs == before:
            return None
        clone.git("fetch", "-q", "--prune", "--tags", "origin")
        for ref, commit in sorted(self.refs.items() - before.items()):
            self._publish(ref, commit)
        if before.keys() - self.refs.keys():
            ran = clone.trunkline("prune", "--yes")
            assert ran.code == 0, ran.all
        return Pushed(self.refs, self._images())

    def _publish(self, ref: str, commit: str) -> None:
        branch = ref.removeprefix("refs/heads/")
        place = ["--detach"] if branch == ref else ["-B", branch]
        self.service.sample.git("checkout", "-q", *place, commit)
        if not self.service.registry.digest(self.service.head):
            self.service.prebuilt()
        self.service.published(ref)

    def _images(self) -> dict[str, str]:
        tags = self.service.tags()
        commits = {tags[tag]: tag for tag in tags if tag.startswith("sha-")}
        return {tag: commits[tags[tag]] for tag in tags.keys() - commits.values()}
