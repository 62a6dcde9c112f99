"""`trunkline guard --tag`: CI's check of a pushed tag."""

import os

from trunkline.errors import Refusal
from trunkline.git import TAGS, Repository
from trunkline.images.mutable_tags import is_published
from trunkline.output import refuse
from trunkline.project import head_project
from trunkline.releases.rules.tag import TagFacts, tag_refusals
from trunkline.releases.tag_survey import ReleaseBranches, tag_facts


def check_pushed_tag(repository: Repository, tag: str) -> int:
    """Check that a tag on the remote is a complete release before anything is built."""
    facts, found = look_at(repository, tag)
    if found:
        return refuse(found)
    print(
        f"{facts.name} is a release: commit {facts.commit[:12]} on the remote's branch"
    )
    return 0


def require_release(repository: Repository, tag: str) -> str:
    """Return the commit of a release's tag; raises Refusal if it is not a release."""
    facts, found = look_at(repository, tag)
    if found:
        raise found[0]
    return facts.commit


def look_at(repository: Repository, tag: str) -> tuple[TagFacts, list[Refusal]]:
    """Return the facts about a tag on the remote, and everything that is wrong."""
    settings = head_project(repository).settings
    repository.require_history(settings.remote)
    branches = ReleaseBranches(repository, settings.remote, {})
    name = tag.removeprefix(TAGS)
    facts = tag_facts(repository, name, branches.fetch(name), branches=branches)
    found = list(tag_refusals(facts))
    # A hotfix's branch may be deleted once its version is out.
    if [fault.rule for fault in found] == ["orphan-tag"] and is_published(
        settings, os.environ, name.removeprefix("v"), facts.commit
    ):
        found = []
    return facts, found
