"""Decide which images can be removed. Pure.

Registries delete by digest, together with all its tags. So a tag of an image that is
kept is removed separately, and an image is deleted only if nothing that is kept refers
to it: no tag, and no multi-platform index.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from trunkline.images.tags import LATEST, is_branch_tag, is_commit_tag
from trunkline.versions import Version

# Signatures and attestations that are stored beside an image, under its digest.
_ATTACHED = re.compile(r"(sha256)-([0-9a-f]{64})(?:\.[a-z]+)?")


@dataclass(frozen=True, slots=True)
class Holdings:
    """The contents of a repository of images."""

    # The digest of every tag.
    tags: Mapping[str, str]
    # The manifests that each index lists, by the index's digest; never another index.
    children: Mapping[str, tuple[str, ...]]
    # When the commits of the images were made. An image that does not say so was not
    # published by this tool.
    made: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Rules:
    """What is kept."""

    # The image tag of every live branch, with the branch.
    live: Mapping[str, str]
    # `sha-…` tags of commits that may still be needed, with the reason.
    commits: Mapping[str, str]
    # Patterns of tags that are kept in any case.
    keep: tuple[str, ...]
    # The image of a commit is kept until the commit is that many days old.
    days: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happens to one tag, and why."""

    tag: str
    digest: str
    stays: bool
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, in order: remove tags, then delete, an index before its parts."""

    verdicts: tuple[Verdict, ...]
    untag: tuple[Verdict, ...]
    delete: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.untag and not self.delete


def in_question(tags: Mapping[str, str], rules: Rules) -> set[str]:
    """Return the digests whose age decides, so that it must be looked up."""
    return {
        digest
        for tag, digest in tags.items()
        if _unconditional(tag, rules) is None and not _ATTACHED.fullmatch(tag)
    }


def plan_pruning(holdings: Holdings, rules: Rules) -> Plan:
    """Decide for every tag, then for every digest."""
    verdicts = [
        _verdict(tag, digest, holdings, rules)
        for tag, digest in sorted(holdings.tags.items())
        if not _ATTACHED.fullmatch(tag)
    ]
    delete = _deletable(verdicts, holdings)
    for tag, digest in holdings.tags.items():
        if match := _ATTACHED.fullmatch(tag):
            stays = f"{match[1]}:{match[2]}" not in delete
            why = f"belongs to an image that is {'kept' if stays else 'deleted'}"
            verdicts.append(Verdict(tag, digest, stays=stays, why=why))
    # Once more, because attached tags may now be deleted, too.
    verdicts.sort(key=lambda verdict: verdict.tag)
    delete = _deletable(verdicts, holdings)
    return Plan(
        tuple(verdicts),
        tuple(v for v in verdicts if not v.stays and v.digest not in delete),
        # A registry may refuse to break an index, so indexes are first.
        tuple(sorted(delete, key=lambda d: (d not in holdings.children, d))),
    )


def _unconditional(tag: str, rules: Rules) -> str | None:
    """Why a tag is kept whatever its image is; None if the image decides."""
    pattern = next((p for p in rules.keep if fnmatchcase(tag, p)), None)
    if pattern is not None:
        return f"matches `{pattern}`"
    if tag == LATEST.name or Version.from_tag(f"v{tag}"):
        return "of a release"
    if tag in rules.live:
        return f"branch {rules.live[tag]} exists"
    if tag in rules.commits:
        return rules.commits[tag]
    if not is_commit_tag(tag) and not is_branch_tag(tag):
        return "neither a branch's nor a commit's"
    return None


def _verdict(tag: str, digest: str, holdings: Holdings, rules: Rules) -> Verdict:
    why = _unconditional(tag, rules)
    made = holdings.made.get(digest)
    if why is None and made is None:
        why = "its image does not say that it was published by trunkline"
    if why is None and made and is_commit_tag(tag):
        age = rules.now - made
        if age < timedelta(days=rules.days):
            why = f"{max(age.days, 0)} days old, less than {rules.days}"
    if why is not None:
        return Verdict(tag, digest, stays=True, why=why)
    gone = "no branch has its commit" if is_commit_tag(tag) else "its branch is gone"
    return Verdict(tag, digest, stays=False, why=gone)


def _deletable(verdicts: Iterable[Verdict], holdings: Holdings) -> set[str]:
    """Return what is deleted with its tags: nothing that is kept refers to it."""
    verdicts = list(verdicts)
    tops = {verdict.digest for verdict in verdicts if not verdict.stays}
    reachable = _with_parts(tops, holdings.children)
    judged = {verdict.tag for verdict in verdicts}
    kept = {verdict.digest for verdict in verdicts if verdict.stays}
    kept |= {digest for tag, digest in holdings.tags.items() if tag not in judged}
    # An index without a tag may be deployed by digest.
    kept |= set(holdings.children) - reachable
    return reachable - _with_parts(kept, holdings.children)


def _with_parts(digests: set[str], children: Mapping[str, tuple[str, ...]]) -> set[str]:
    return digests.union(*(children.get(digest, ()) for digest in digests))
