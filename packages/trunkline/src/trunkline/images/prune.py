"""`trunkline prune`: remove the images of branches that are gone."""

import json as json_
import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from trunkline.errors import FailedError, Refusal
from trunkline.git import Repository
from trunkline.images.deletion import carry_out
from trunkline.images.inventory import read_holdings, read_tags
from trunkline.images.remote import Remote, fetch_tips, read_remote
from trunkline.images.retention import Plan, Rules, in_question, plan_pruning
from trunkline.images.tags import branch_tag, commit_tag
from trunkline.options import DRY_RUN, JSON, YES, command, repeated
from trunkline.output import confirm, say
from trunkline.project import head_project
from trunkline.registry.client import Registry
from trunkline.settings import Settings
from trunkline.signals import interrupted_by_signals
from trunkline.versions import Version


@command(
    repeated("--keep", "keep tags that match this pattern", metavar="TAG"),
    DRY_RUN,
    YES,
    JSON,
)
def prune(keep: Sequence[str] | None, *, dry_run: bool, yes: bool, json: bool) -> int:
    """Remove the images that no branch, release or pattern keeps any longer."""
    repository = Repository.find()
    settings = head_project(repository).settings
    with interrupted_by_signals(), Registry(settings, os.environ) as registry:
        plan = survey(repository, settings, registry, keep or ())
        show(plan, registry)
        done = not dry_run and not plan.empty
        if done:
            confirm("Remove them?", yes=yes)
            if not yes and survey(repository, settings, registry, keep or ()) != plan:
                raise FailedError(
                    "branches or images have changed since; nothing was removed\n"
                    "  type next: uv run trunkline prune"
                )
            carry_out(registry, plan)
        if json:
            print(json_.dumps(_document(plan, registry, done=done)))
    return 0


def survey(
    repository: Repository, settings: Settings, registry: Registry, keep: Sequence[str]
) -> Plan:
    """Read the registry, then the remote, and plan.

    The order matters: what the registry has was pushed before, so a branch that appears
    in between is not mistaken for a deleted one.
    """
    tags = read_tags(registry)
    rules = read_rules(repository, settings, keep)
    held = read_holdings(registry, tags, lambda found: in_question(found, rules))
    return plan_pruning(held, rules)


def read_rules(
    repository: Repository, settings: Settings, keep: Sequence[str]
) -> Rules:
    """Ask the remote which branches exist, and git which commits are on them."""
    repository.require_history(settings.remote)
    remote = read_remote(repository, settings)
    if settings.trunk not in remote.heads:
        raise Refusal(
            rule="trunk",
            found=f"{settings.remote} has no branch {settings.trunk}",
            expected="the remote whose branches have these images",
            fix=f"git ls-remote --heads {settings.remote}",
        )
    fetch_tips(repository, settings, remote.heads)
    return Rules(
        live={branch_tag(branch): branch for branch in remote.heads},
        commits=_commits(repository, settings, remote),
        keep=(*settings.keep, *keep),
        days=settings.keep_days,
        now=datetime.now(UTC),
    )


def _commits(
    repository: Repository, settings: Settings, remote: Remote
) -> dict[str, str]:
    """Return the tags of all commits that may still be needed, with the reason."""
    trunk = remote.heads[settings.trunk]
    newest = f"--max-count={settings.keep_commits or -1}"
    others = [*remote.heads.values(), f"^{trunk}"]
    found = [
        ("a live branch has its commit", _list(repository, others)),
        (f"branch {settings.trunk} has its commit", _list(repository, [trunk], newest)),
    ]
    for name, oid in remote.tags.items():
        if Version.from_tag(name):
            found.append((f"release {name} was made of its commit", [oid]))
    return {commit_tag(oid): why for why, oids in found for oid in oids}


def _list(repository: Repository, tips: Sequence[str], *options: str) -> list[str]:
    # There may be more branches than an argument list takes.
    text = "".join(f"{tip}\n" for tip in tips).encode()
    answer = repository.run("rev-list", *options, "--stdin", stdin=text, check=True)
    return answer.text.splitlines()


def show(plan: Plan, registry: Registry) -> None:
    """Print what is removed, and how much is kept."""
    say(f"{registry.name}: {len(plan.verdicts)} tags")
    going = [verdict for verdict in plan.verdicts if not verdict.stays]
    width = max((len(verdict.tag) for verdict in going), default=0)
    for verdict in going:
        word = "untag " if verdict in plan.untag else "delete"
        say(f"  {word}  {verdict.tag:{width}}  {verdict.digest[:19]}  {verdict.why}")
    stay = len(plan.verdicts) - len(going)
    say(
        f"{len(going)} tags to remove, {len(plan.untag)} of them from images that are "
        f"kept; {len(plan.delete)} manifests to delete; {stay} tags kept"
    )


def _document(plan: Plan, registry: Registry, *, done: bool) -> dict[str, object]:
    return {
        "image": str(registry.name),
        "tags": [asdict(verdict) for verdict in plan.verdicts],
        "untag": [verdict.tag for verdict in plan.untag],
        "delete": list(plan.delete),
        "done": done,
    }
