"""A release with every check, beside the same steps by hand."""

from collections.abc import Sequence
from functools import partial

from benchmarks.harness import processes
from benchmarks.harness.benchmark import BenchmarkError, Comparison
from benchmarks.harness.samples import compared, interleaved
from benchmarks.releases.bump import YOUNG
from benchmarks.releases.clones import Clone, cloned, git

RELEASE = (("trunkline", "release", "--yes"),)
BY_HAND = (
    ("git", "fetch", "-q", "--tags", "origin"),
    ("cz", "bump", "--yes"),
    ("git", "push", "-q", "--atomic", "--follow-tags", "origin", "main"),
)
HOOK = '#!/bin/sh\nexec trunkline push-check "$@"\n'


def run(rounds: int) -> list[Comparison]:
    """Release in turns, with the tool and by hand, to a remote on this machine.

    By hand the guard takes part, as in every `cz bump`; in one of two clones a hook
    checks the push as well.
    """
    with cloned(YOUNG) as clones:
        plain = clones.guarded
        samples = interleaved(
            rounds,
            {
                "release": partial(seconds, plain, RELEASE),
                "checked": partial(seconds, with_hook(plain), BY_HAND),
                "by hand": partial(seconds, plain, BY_HAND),
            },
        )
    peer = "git fetch, cz bump, git push"
    return [
        compared(what, "s", peer=peer, ours=samples[name], theirs=samples["by hand"])
        for what, name in (
            ("by hand, with a hook that checks the push", "checked"),
            ("trunkline release", "release"),
        )
    ]


def with_hook(plain: Clone) -> Clone:
    """Clone the same remote once more, with the hook that checks a push."""
    root = plain.root.with_name("checked")
    command = ("git", "clone", "-q", f"{plain.root}.git", root)
    processes.run(command, env=plain.env)
    hook = root / ".git/hooks/pre-push"
    hook.write_text(HOOK, encoding="utf-8")
    hook.chmod(0o755)
    return Clone(root, plain.start, plain.env)


def seconds(clone: Clone, steps: Sequence[tuple[str, ...]]) -> float:
    """Return the seconds of one release, which is then undone, there as well."""
    taken = sum(
        processes.seconds_of(step, cwd=clone.root, env=clone.env) for step in steps
    )
    tags = git(clone, "tag", "--points-at", "HEAD").split()
    listed = git(clone, "ls-remote", "origin", *tags)
    if not tags or tags[0] not in listed:
        raise BenchmarkError("a release ended with 0 and pushed no tag")
    gone = [f":refs/tags/{tag}" for tag in tags]
    back = f"+{clone.start}:refs/heads/main"
    git(clone, "push", "-q", "--no-verify", "origin", back, *gone)
    git(clone, "tag", "-d", *tags)
    git(clone, "reset", "-q", "--hard", clone.start)
    return taken
