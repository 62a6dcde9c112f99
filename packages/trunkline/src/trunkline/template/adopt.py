"""`trunkline template adopt`: turn a copy of the template into a service.

It is the same merge as an update: from the template to the service made from it, after
the copy's own files were renamed like the template's.
"""

import re
from dataclasses import replace

from trunkline.addresses import canonical_url
from trunkline.errors import Refusal
from trunkline.git import Repository
from trunkline.output import say
from trunkline.template.answers import PATH, Answers, TemplateRequest
from trunkline.template.generate import answered, rendered
from trunkline.template.manifest import TemplateManifest
from trunkline.template.mirror import Mirror, open_mirror
from trunkline.template.render import ServiceFile, renamed, renaming
from trunkline.template.trees import MergeSides, TreeEntry, read_tree

PYPROJECT = "pyproject.toml"
FILE_MODES = ("100644", "100755")
_VERSION = re.compile(rb'(?<=\nversion = ")[^"]*')

type NamedTree = dict[str, ServiceFile | TreeEntry]


def first_version(repository: Repository, asked: TemplateRequest) -> MergeSides:
    """Return the template, this repository and the service, all under its names."""
    if (repository.root / PATH).exists():
        raise Refusal(
            rule="adopted",
            found=f"{PATH}, so this is a service already",
            expected="a copy of the template",
            fix="uv run trunkline template update",
        )
    mirror = open_mirror(canonical_url(str(asked.source)))
    commit = mirror.commit(asked.version or origin_of(repository, mirror))
    answers = answered(mirror, commit, repository.root, asked)
    manifest = mirror.manifest(commit)
    base = in_its_names(mirror, commit, manifest, answers)
    yours = in_its_names(repository, "HEAD", manifest, answers)
    theirs: NamedTree = dict(rendered(mirror, commit, answers))
    for path in (entry.target for entry in manifest.entries if entry.once):
        # Replaced unless somebody has edited it; then it is the team's.
        if path in base and yours.get(path) != base[path]:
            theirs[path] = base[path]
    keep_version(base, yours, theirs)
    tell_tags(repository, mirror)
    return MergeSides(base, yours, theirs, answers.commit)


def origin_of(repository: Repository, mirror: Mirror) -> str:
    """Find the template's commit that this repository began as; Refusal if none.

    "Use this template" and archives keep the files, though not the history.
    """
    rows = mirror.read("log", "--all", "--format=%T %H").splitlines()
    known = dict(row.split(" ") for row in reversed(rows))
    for tree in repository.read("log", "--format=%T", "HEAD").splitlines():
        if tree in known:
            return str(known[tree])
    raise Refusal(
        rule="template-version",
        found=f"no commit here with exactly the files of a commit of {mirror.url}",
        expected="one from which this repository began",
        fix=f"the same command with --version, such as {mirror.newest()}",
    )


def in_its_names(
    repository: Repository, commit: str, manifest: TemplateManifest, answers: Answers
) -> NamedTree:
    """Read a commit's files with the service's names in place of the template's."""
    rename = renaming(manifest, answers)
    leaves = read_tree(repository, commit)
    contents = repository.objects([leaf.oid for leaf in leaves.values()])
    found: NamedTree = {}
    for path, leaf in leaves.items():
        blob = contents[leaf.oid] if leaf.mode in FILE_MODES else None
        found[renamed(path, rename)] = (
            ServiceFile(_renamed(blob.content, rename), leaf.mode == "100755")
            if blob
            else leaf
        )
    return found


def _renamed(content: bytes, rename: list[tuple[str, str]]) -> bytes:
    try:
        return renamed(content.decode("utf-8"), rename).encode("utf-8")
    except UnicodeDecodeError:
        return content


def keep_version(base: NamedTree, yours: NamedTree, theirs: NamedTree) -> None:
    """Leave a version alone that the team has released itself."""
    before, now = _version(base), _version(yours)
    for tree in (base, theirs):
        file = tree.get(PYPROJECT)
        if before != now and isinstance(file, ServiceFile):
            tree[PYPROJECT] = replace(
                file, content=_VERSION.sub(lambda _: now, file.content, count=1)
            )


def _version(tree: NamedTree) -> bytes:
    file = tree.get(PYPROJECT)
    found = _VERSION.search(file.content) if isinstance(file, ServiceFile) else None
    return found[0] if found else b""


def tell_tags(repository: Repository, mirror: Mirror) -> None:
    """Name tags of the template; they would pass for the service's releases."""
    theirs = mirror.refs("refs/tags/")
    own = repository.refs("refs/tags/")
    same = [name for name, oid in own.items() if theirs.get(name) == oid]
    if same:
        tags = " ".join(name.removeprefix("refs/tags/") for name in same)
        say(f"these tags are the template's releases: git tag --delete {tags}")
