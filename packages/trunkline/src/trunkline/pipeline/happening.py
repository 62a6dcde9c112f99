"""What a local run knows of the event that starts it: from git, and as it was told."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trunkline.errors import UsageError
from trunkline.git import Repository
from trunkline.pipeline.contexts import API, Run, synthetic_payload
from trunkline.pipeline.events import HEADS, TAGS, Event
from trunkline.pipeline.github import repository_name
from trunkline.pipeline.scratch import Scratch, merge_of
from trunkline.settings import Settings

ACTOR = "local"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for, besides the event."""

    workflow: str | None
    jobs: Sequence[str]
    skipped: frozenset[str]
    secrets: Mapping[str, str]
    variables: Mapping[str, str]
    payload: Mapping[str, Any]


def full_ref(repository: Repository, ref: str | None, event: str) -> str:
    """Find the full name of a ref; what is deleted need not be there."""
    if ref is None:
        branch = repository.run("symbolic-ref", "--quiet", "HEAD").text
        if not branch:
            raise UsageError("HEAD is on no branch; expected --ref refs/heads/… or …")
        return branch
    if event == "delete":
        return ref if ref.startswith("refs/") else f"{HEADS}{ref}"
    names = (ref,) if ref.startswith("refs/") else (f"{HEADS}{ref}", f"{TAGS}{ref}")
    for name in names:
        if repository.refs(name):
            return name
    raise UsageError(f"there is no branch or tag `{ref}` here; `git branch -a` lists")


def changed(
    repository: Repository, event: Event, settings: Settings
) -> tuple[str, ...]:
    """List the files that a push or a pull request changes, for filters of paths."""
    if event.name not in ("push", "pull_request") or event.ref.startswith(TAGS):
        return ()
    name = event.ref.removeprefix(HEADS)
    known = f"refs/remotes/{settings.remote}/"
    for old in (f"{known}{name}", f"{known}{settings.trunk}", f"{event.ref}^"):
        start = f"{known}{event.base}" if event.base else old
        base = repository.run("merge-base", start, event.ref)
        if base.ok and base.text != repository.read("rev-parse", event.ref):
            break
    else:
        return tuple(repository.read("ls-files").splitlines())
    listed = repository.read("diff", "--name-only", "-z", base.text, event.ref)
    return tuple(filter(None, listed.split("\0")))


def home(event: Event, settings: Settings) -> str:
    """Return the ref whose workflows run: the trunk's, once a branch is gone."""
    gone = event.name in ("delete", "schedule")
    return f"{HEADS}{settings.trunk}" if gone else event.ref


def make_run(
    repository: Repository,
    settings: Settings,
    scratch: Scratch,
    event: Event,
    asked: Asked,
) -> Run:
    """Gather what the workflows know of this run."""
    ref = home(event, settings)
    tip = scratch.git("rev-parse", f"{ref}^{{commit}}")
    title = scratch.git("show", "-s", "--format=%s", tip)
    base_sha, sha = "", tip
    if event.base:
        base = f"{HEADS}{event.base}"
        base_sha = scratch.git("rev-parse", base)
        sha, ref = merge_of(scratch, base=base, head=event.ref), "refs/pull/1/merge"
    payload = synthetic_payload(
        event,
        sha=tip,
        base_sha=base_sha,
        title=title,
        trunk=settings.trunk,
        actor=ACTOR,
    )
    address = repository.run("remote", "get-url", settings.remote).text
    return Run(
        event=event,
        sha=sha,
        ref=ref,
        repository=repository_name(os.environ, address)
        or f"{ACTOR}/{name_of(settings)}",
        actor=ACTOR,
        payload=merged(payload, asked.payload),
        secrets=asked.secrets,
        variables=asked.variables,
        token=os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN", ""),
        api=os.environ.get("GITHUB_API_URL") or API,
    )


def name_of(settings: Settings) -> str:
    """Return a name for a repository that is not on GitHub."""
    return settings.image.rpartition("/")[2] or "project"


def merged(own: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Put what was given over what is known, object by object."""
    both = dict(own)
    for key, value in given.items():
        inner = both.get(key)
        deeper = isinstance(inner, dict) and isinstance(value, dict)
        both[key] = merged(inner, value) if deeper and inner else value
    return both
