"""Write trees of files as commits for git to merge, beside the working tree."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from trunkline.git import Repository
from trunkline.template.render import ServiceFile

# Under refs/, so that git finds `template/yours` and writes that into conflicts.
BASE, YOURS, REST = "template/base", "template/yours", "template/rest"


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """An object in the repository: a file, a link or a submodule."""

    mode: str
    oid: str


type ServiceTree = Mapping[str, ServiceFile | TreeEntry]


@dataclass(frozen=True, slots=True)
class MergeSides:
    """The three trees of a merge; `yours` is HEAD's own if it is None.

    `label` names the version of the template that `theirs` was made from.
    """

    base: ServiceTree
    yours: ServiceTree | None
    theirs: ServiceTree
    label: str


def write_commits(repository: Repository, sides: MergeSides) -> tuple[str, str]:
    """Write `base` and its two children as commits; returns what to merge."""
    head = repository.read("rev-parse", "HEAD^{tree}")
    yours = _whole(head) if sides.yours is None else _files(sides.yours)
    stream = b"".join(
        (
            *_commit(BASE, "", _files(sides.base)),
            *_commit(YOURS, BASE, yours),
            *_commit(f"template/{sides.label}", BASE, _files(sides.theirs)),
        )
    )
    _import(repository, stream)
    return YOURS, f"template/{sides.label}"


def without(repository: Repository, tree: str, paths: Sequence[str]) -> str:
    """Write a tree again without some of its paths."""
    if not paths:
        return tree
    deleted = [b"D " + _quoted(path) for path in paths]
    _import(repository, b"".join((*_commit(REST, "", _whole(tree)), *deleted)))
    return repository.read("rev-parse", f"refs/{REST}^{{tree}}")


def _import(repository: Repository, stream: bytes) -> None:
    options = ("--quiet", "--force", "--date-format=raw")
    repository.run("fast-import", *options, stdin=stream, check=True, timeout=300)


def drop_commits(repository: Repository) -> None:
    """Remove the references to what was written."""
    names = repository.refs("refs/template/")
    lines = "".join(f"delete {name}\n" for name in names)
    repository.run("update-ref", "--stdin", stdin=lines.encode(), check=True)


def read_tree(repository: Repository, name: str) -> dict[str, TreeEntry]:
    """List what a commit holds, by path."""
    found = {}
    for row in repository.names("ls-tree", "-r", "-z", "--full-tree", name):
        about, _, path = row.partition("\t")
        mode, _, oid = about.split(" ")
        found[path] = TreeEntry(mode, oid)
    return found


def folders_of(path: str) -> set[str]:
    """Name the folders above a path."""
    return {str(folder) for folder in PurePosixPath(path).parents}


def _commit(name: str, parent: str, changes: Iterator[bytes]) -> Iterator[bytes]:
    yield f"commit refs/{name}\n".encode()
    yield b"committer trunkline <trunkline@localhost> 0 +0000\ndata 0\n"
    if parent:
        yield f"from refs/{parent}\n".encode()
    yield b"deleteall\n"
    yield from changes


def _whole(tree: str) -> Iterator[bytes]:
    yield f'M 040000 {tree} ""\n'.encode()


def _files(tree: ServiceTree) -> Iterator[bytes]:
    for path, leaf in tree.items():
        name = _quoted(path)
        if isinstance(leaf, TreeEntry):
            yield f"M {leaf.mode} {leaf.oid} ".encode() + name
        else:
            mode = "100755" if leaf.executable else "100644"
            yield f"M {mode} inline ".encode() + name
            yield f"data {len(leaf.content)}\n".encode() + leaf.content + b"\n"


def _quoted(path: str) -> bytes:
    """Write a path, and the end of the line, as git's fast-import reads it."""
    quoted = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{quoted}"\n'.encode("utf-8", "surrogateescape")
