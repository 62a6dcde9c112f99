"""`trunkline template update`: merge a later version of the template."""

import re
from collections.abc import Callable
from dataclasses import replace

from trunkline.addresses import canonical_url, is_relative, recorded
from trunkline.errors import FailedError, Refusal, UsageError
from trunkline.git import Repository
from trunkline.locks import only_release
from trunkline.output import say
from trunkline.signals import interrupted_by_signals
from trunkline.template.answers import PATH, Answers, TemplateRequest, parse_answers
from trunkline.template.generate import questions_of, rendered
from trunkline.template.kept import applied_answers, exclude_edited_tool, leave_deleted
from trunkline.template.merge import MergeResult, merge
from trunkline.template.mirror import Mirror, open_mirror
from trunkline.template.names import is_title
from trunkline.template.pending import LOCK, apply, undo_interrupted
from trunkline.template.render import ServiceFile
from trunkline.template.trees import MergeSides, drop_commits, read_tree, write_commits


def merge_template(
    asked: TemplateRequest,
    choose: Callable[[Repository, TemplateRequest], MergeSides | None],
) -> int:
    """Merge what `choose` returns, or show what would change; None is up to date."""
    repository = Repository.find()
    with interrupted_by_signals(), only_release(repository.common_dir):
        drop_commits(repository)  # A killed run may have left some.
        if not asked.diff:
            undo_interrupted(repository)
        require_clean(repository)
        sides = choose(repository, asked)
        if sides is None:
            return 0
        try:
            merged = merge(repository, *write_commits(repository, sides))
            merged = leave_deleted(repository, merged, sides.base, sides.theirs)
            if asked.diff:
                print(repository.read("diff", "--find-renames", "HEAD", merged.tree))
                return report(merged, sides.label, preview=True)
            unlocked = apply(repository, merged)
            code = report(merged, sides.label)
        finally:
            drop_commits(repository)
    if unlocked:
        raise FailedError(
            f"the files are up to date, {LOCK} is not: {unlocked}\n"
            f"  type next: uv lock && git add {LOCK}"
        )
    return code


def later_version(repository: Repository, asked: TemplateRequest) -> MergeSides | None:
    """Render the service as it was made, and as the template makes it now."""
    answers = read_answers(repository)
    mirror = open_mirror(address_of(answers, asked.source))
    old = made_from(mirror, answers)
    made = applied_answers(repository, mirror.manifest(old, oldest=1), answers)
    new = mirror.commit(asked.version or mirror.newest())
    if not asked.version and mirror.is_ancestor(new, old):
        new = old
    wanted = changed(mirror, new, answers, asked)
    moved = mirror.url != canonical_url(answers.source)
    if new == old and wanted.kept == made.kept and not moved:
        print(f"up to date: this service is at {answers.commit} of the template")
        return None
    base = rendered(mirror, old, made, oldest=1)
    theirs = rendered(mirror, new, replace(wanted, source=recorded(mirror.url)))
    drop_given(repository, mirror, new, base, theirs)
    exclude_edited_tool(repository, base, theirs)
    return MergeSides(base, None, theirs, mirror.describe(new))


def require_clean(repository: Repository) -> None:
    """Raise Refusal where a tracked file has uncommitted changes."""
    found = repository.read("status", "--porcelain", "--untracked-files=no")
    if found:
        raise Refusal(
            rule="clean",
            found=f"{len(found.splitlines())} uncommitted changes, such as: "
            f"{found.splitlines()[0].strip()}",
            expected="a clean working tree, so that git can undo the update",
            fix="git stash  (or git commit)",
        )


def read_answers(repository: Repository) -> Answers:
    """Read what the service was made from; raises UsageError if it is not recorded."""
    file = repository.root / PATH
    if not file.exists():
        raise UsageError(
            f"there is no {PATH} here; expected a service made from a template\n"
            "  type next: uv run trunkline template adopt --from URL-OF-THE-TEMPLATE"
        )
    try:
        return parse_answers(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise FailedError(
            f"{PATH} is not UTF-8 text; expected the file as it was written\n"
            f"  type next: git log -p -- {PATH}"
        ) from error


def address_of(answers: Answers, source: str | None) -> str:
    """Return the template's canonical URL; raises Refusal for a relative address."""
    if source is None and is_relative(answers.source):
        raise Refusal(
            rule="address",
            found=f"the relative address {answers.source!r} in {PATH}",
            expected="an address of the template that works in every clone",
            fix="uv run trunkline template update --from ADDRESS",
        )
    return canonical_url(source or answers.source)


def made_from(mirror: Mirror, answers: Answers) -> str:
    """Look up the commit that the service was made from; Refusal if it is gone."""
    found = mirror.find_commit(answers.commit)
    if not found:
        raise Refusal(
            rule="template-version",
            found=f"no {answers.commit!r}, which {PATH} names, in {mirror.url}",
            expected="the version that this service was made from, or one close to it",
            fix=f"git log -p -- {PATH}  (and set its `_commit` to a version of the "
            f"template, such as {mirror.newest()})",
        )
    pattern = mirror.manifest(found, oldest=1).package_pattern
    if not re.fullmatch(pattern, answers.package) or not is_title(answers.title):
        raise FailedError(
            f"{PATH} says package: {answers.package!r}, title: {answers.title!r}, "
            "which no service can have; expected those that it was made with\n"
            f"  type next: git log -p -- {PATH}"
        )
    return found


def changed(
    mirror: Mirror, commit: str, answers: Answers, asked: TemplateRequest
) -> Answers:
    """Add and leave out parts; raises UsageError for an unknown part."""
    if both := set(asked.added).intersection(asked.without):
        raise UsageError(
            f"--with {min(both)} and --without {min(both)}; expected one of them"
        )
    manifest = mirror.manifest(commit)
    added = dict.fromkeys(questions_of(manifest, asked.added), True)
    left_out = dict.fromkeys(questions_of(manifest, asked.without), False)
    return replace(answers, kept={**answers.kept, **added, **left_out})


def drop_given(
    repository: Repository,
    mirror: Mirror,
    commit: str,
    base: dict[str, ServiceFile],
    theirs: dict[str, ServiceFile],
) -> None:
    """Remove from both what is written once and then belongs to the team."""
    once = {entry.target for entry in mirror.manifest(commit).entries if entry.once}
    present = read_tree(repository, "HEAD").keys() | base.keys()
    for path in once & present:
        base.pop(path, None)
        theirs.pop(path, None)


def report(merged: MergeResult, label: str, *, preview: bool = False) -> int:
    """Print the outcome of a merge; returns 1 where there are conflicts."""
    for path in merged.conflicts:
        print(f"  conflict  {path}")
    for path in merged.kept:
        print(f"  kept      {path}: dropped by the template but changed by you")
    for path in merged.gone:
        print(f"  deleted   {path}: changed by the template but deleted by you")
    count = len(merged.conflicts)
    conflicts = f"{count} conflict" if count == 1 else f"{count} conflicts"
    print(f"template {label}: {conflicts}{'; nothing was changed' * preview}")
    if preview:
        return int(bool(count))
    next_ = f'make test && git commit -m "build: update the template to {label}"'
    if count:
        next_ = f"resolve the conflicts, `git add` those files, {next_}"
        if "pyproject.toml" in merged.conflicts:
            next_ = f"{next_}\n  and once pyproject.toml is fixed: uv lock"
    say(f"  type next: {next_}")
    return int(bool(count))
