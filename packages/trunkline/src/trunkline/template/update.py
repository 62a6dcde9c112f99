"""`trunkline template update`: a later version of the template, and no work lost."""

import re
from dataclasses import replace

from trunkline.errors import FailedError, Refusal, UsageError
from trunkline.git import Repository
from trunkline.locks import only_release
from trunkline.output import say
from trunkline.signals import interrupted_by_signals
from trunkline.template.answers import PATH, Answers, parse_answers
from trunkline.template.generate import rendered
from trunkline.template.merge import Merged, difference, merge
from trunkline.template.mirror import Mirror, open_mirror
from trunkline.template.pending import LOCK, Done, Pending, begin, resume
from trunkline.template.render import File
from trunkline.template.trees import drop_commits, read_tree, write_commits


def update(*, version: str | None, without: tuple[str, ...], diff: bool) -> int:
    """Merge another version of the template; returns 1 where there are conflicts."""
    repository = Repository.find()
    with interrupted_by_signals(), only_release(repository.common_dir):
        if not diff and (done := resume(repository)):
            return close(done)
        require_clean(repository)
        answers = read_answers(repository)
        mirror = open_mirror(answers.source)
        old = made_of(mirror, answers)
        new = mirror.commit(version or mirror.newest())
        label = mirror.describe(new)
        if not without and up_to_date(mirror, old, new, chosen=version is not None):
            print(f"up to date: the template's {answers.commit} is in here")
            return 0
        base = rendered(mirror, old, answers)
        theirs = rendered(mirror, new, changed(mirror, new, answers, without))
        drop_given(repository, mirror, new, base, theirs)
        names = write_commits(
            repository, base=base, yours=None, theirs=theirs, label=label
        )
        return finish(repository, merge(repository, *names), label, diff=diff)


def finish(repository: Repository, merged: Merged, label: str, *, diff: bool) -> int:
    """Show what a merge would change, or do it, and report."""
    try:
        if diff:
            print(difference(repository, "HEAD", merged.tree))
            return report(merged, label, preview=True)
        head = repository.read("rev-parse", "HEAD")
        return close(begin(repository, Pending(head, merged, label)))
    finally:
        drop_commits(repository)


def require_clean(repository: Repository) -> None:
    """Raise Refusal where something tracked is changed and not committed."""
    found = repository.read("status", "--porcelain", "--untracked-files=no")
    if found:
        raise Refusal(
            rule="clean",
            found=f"{len(found.splitlines())} uncommitted changes, such as: "
            f"{found.splitlines()[0].strip()}",
            expected="a clean work tree, which git can take you back to",
            fix="git stash, or git commit",
        )


def read_answers(repository: Repository) -> Answers:
    """Read what the service was made of; raises UsageError where it does not say."""
    file = repository.root / PATH
    if not file.exists():
        raise UsageError(
            f"there is no {PATH} here; expected a service that was made of a template\n"
            "  type next: trunkline template adopt --from URL-OF-THE-TEMPLATE"
        )
    return parse_answers(file.read_bytes().decode("utf-8", "replace"))


def made_of(mirror: Mirror, answers: Answers) -> str:
    """Look up the commit that the service was made of.

    Raises Refusal where the template has it no more, and FailedError where the names
    in the answers are none that a service could have been made with.
    """
    found = mirror.find_commit(answers.commit)
    if not found:
        raise Refusal(
            rule="template-version",
            found=f"no {answers.commit!r}, which {PATH} names, in {mirror.source}",
            expected="the version that this service was made of, or one close to it",
            fix=f"git log -p -- {PATH}, and a version of the template, such as "
            f"{mirror.newest()}, as its `_commit`",
        )
    manifest = mirror.manifest(found)
    patterns = {
        "package": (answers.package, manifest.package_pattern),
        "title": (answers.title, manifest.title_pattern),
    }
    for name, (value, pattern) in patterns.items():
        if not re.fullmatch(pattern, value):
            raise FailedError(
                f"{PATH} says {name}: {value!r}, which no service can have; expected "
                f"the {name} that it was made with\n  type next: git log -p -- {PATH}"
            )
    return found


def up_to_date(mirror: Mirror, old: str, new: str, *, chosen: bool) -> bool:
    """Whether there is nothing to do; a version that was asked for may be older."""
    return old == new or (not chosen and mirror.is_ancestor(new, old))


def changed(
    mirror: Mirror, commit: str, answers: Answers, without: tuple[str, ...]
) -> Answers:
    """Leave out more parts; raises UsageError for a part that is none."""
    parts = {part.name: part.question for part in mirror.manifest(commit).parts}
    if unknown := [name for name in without if name not in parts]:
        raise UsageError(
            f"there is no part {unknown[0]!r}; expected one of {', '.join(parts)}"
        )
    gone = dict.fromkeys((parts[name] for name in without), False)
    return replace(answers, kept={**answers.kept, **gone})


def drop_given(
    repository: Repository,
    mirror: Mirror,
    commit: str,
    base: dict[str, File],
    theirs: dict[str, File],
) -> None:
    """Take out of both what is given once and then the team's."""
    once = {entry.target for entry in mirror.manifest(commit).entries if entry.once}
    present = read_tree(repository, "HEAD").keys() | base.keys()
    for path in once & present:
        base.pop(path, None)
        theirs.pop(path, None)


def close(done: Done) -> int:
    """Report what was done; raises FailedError where uv.lock is not up to date."""
    code = report(done.merged, done.label)
    if done.unlocked:
        raise FailedError(
            f"the files are up to date, {LOCK} is not: {done.unlocked}\n"
            f"  type next: uv lock && git add {LOCK}"
        )
    return code


def report(merged: Merged, label: str, *, preview: bool = False) -> int:
    """Say what came of a merge; returns 1 where there are conflicts."""
    for path in merged.conflicts:
        print(f"  conflict  {path}")
    for path in merged.kept:
        print(f"  kept      {path}: dropped by the template but changed by you")
    for path in merged.gone:
        print(f"  deleted   {path}: changed by the template but deleted by you")
    conflicts = len(merged.conflicts)
    if preview:
        print(f"template {label}: {conflicts} conflicts; nothing was changed")
        return int(bool(conflicts))
    print(f"template {label}: {conflicts} conflicts")
    next_ = f'make test, and: git commit -m "build: update the template to {label}"'
    if conflicts:
        next_ = f"resolve the conflicts, `git add` those files, {next_}"
        if "pyproject.toml" in merged.conflicts:
            next_ = f"{next_}\n  and once pyproject.toml is fixed: uv lock"
    say(f"  type next: {next_}")
    return int(bool(conflicts))
