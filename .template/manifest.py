"""Make `.template/manifest.json`: what becomes of each file in a service.

    uv run python .template/manifest.py           # after adding or changing files
    uv run python .template/manifest.py --check   # the gate `template`

It is computed from git's list of files and from `.template/parts/*.toml`.
"""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path, PurePosixPath

from trunkline.errors import TrunklineError
from trunkline.git import Repository
from trunkline.template import manifest as format_
from trunkline.template.manifest import (
    TemplateFile,
    TemplateManifest,
    TextEdit,
    parse_manifest,
)

from machinery.inspection import problems
from machinery.layout import lay_out, layout_problems
from machinery.locks import lock_problems, locks_of
from machinery.names import taken_names
from machinery.parts import PartDefinition, read_parts

OVERLAY = ".template/overlay/"
PACKAGE = r"\A(?=.{1,30}\Z)[a-z][a-z0-9]*(_[a-z0-9]+)*\Z"
RENAME = (
    ("my_app", "package"),
    ("my-app", "slug"),
    ("MY_APP", "constant"),
    ("MyApp", "pascal"),
    ("My App", "title"),
    # The tool as a dependency. These come last: an address may hold one of the names.
    ("TRUNKLINE_GIT", "git"),
    ("TRUNKLINE_PIN", "pin"),
    ("TRUNKLINE_QUERY", "query"),
    ("TRUNKLINE_COMMIT", "commit"),
)
HEADER = "# Written by the template's updates; an edit here confuses the next one.\n"
# Given once, and the team's from then on.
ONCE = frozenset({"README.md", "CHANGELOG.md", "uv.lock"})
# Their version is that of the template.
VERSIONED = frozenset({"pyproject.toml"})
CORE = ("src", "my_app", "core")


def main(arguments: list[str]) -> int:
    """Write the manifest, or with --check compare; returns 1 if something is wrong."""
    root = Repository.find(Path(__file__).parent).root
    try:
        found = check(root) if arguments == ["--check"] else write(root)
    except TrunklineError as error:
        found = [str(error)]
    for problem in found:
        print(f"template: {problem}", file=sys.stderr)
    if found:
        print("  type next: uv run python .template/manifest.py", file=sys.stderr)
    return 1 if found else 0


def check(root: Path) -> list[str]:
    """List what is wrong; nothing is changed and no network is needed."""
    file = root / format_.PATH
    if not file.exists():
        return [f"there is no {format_.PATH}"]
    parts = read_parts(root / ".template/parts")
    stored = parse_manifest(file.read_bytes())
    manifest = build(root, parts, stored)
    if features := new_features(manifest, stored):
        return [
            f"{', '.join(features)}: this is the template; generate a service and "
            "build the feature there (docs/template.md), unless every service needs it"
        ]
    if found := problems(root, manifest, parts):
        return found
    found = lock_problems(root, manifest) + layout_problems(root, manifest)
    if print_manifest(manifest) != file.read_text(encoding="utf-8"):
        found.append(f"{format_.PATH} is not what these files give")
    return found


def new_features(manifest: TemplateManifest, stored: TemplateManifest) -> list[str]:
    """List folders of features that the stored manifest does not have."""

    def folders(manifest: TemplateManifest) -> set[str]:
        paths = (PurePosixPath(entry.source).parts for entry in manifest.entries)
        return {
            "/".join(p[:4]) for p in paths if p[:3] == CORE and len(p) > len(CORE) + 1
        }

    return sorted(folders(manifest) - folders(stored))


def write(root: Path) -> list[str]:
    """Write the manifest, and lay out lines that a long name would break."""
    file = root / format_.PATH
    parts = read_parts(root / ".template/parts")
    try:
        stored = parse_manifest(file.read_bytes())
    except (OSError, ValueError, KeyError, TypeError, TrunklineError):
        stored = None  # None yet, or one with the marks of a merge in it.
    manifest = build(root, parts, stored)
    for path in lay_out(root, manifest):
        print(f"template: laid out {path} for a long name", file=sys.stderr)
    if found := problems(root, manifest, parts):
        return found
    if not stored or lock_problems(root, manifest):
        manifest = replace(manifest, locks=locks_of(root, manifest))
    file.write_text(print_manifest(manifest), encoding="utf-8")
    return []


def build(
    root: Path, parts: tuple[PartDefinition, ...], stored: TemplateManifest | None
) -> TemplateManifest:
    """Compute the manifest; what needs uv is taken from the stored one."""
    optional = [part for part in parts if part.question]
    taken = taken_names(root)
    if stored and taken <= stored.taken:
        # One made where more is installed is good as well.
        taken = stored.taken
    return TemplateManifest(
        rename=RENAME,
        package_pattern=PACKAGE,
        always_out=tuple(part.name for part in parts if not part.question),
        parts=tuple(
            format_.OptionalPart(part.name, part.question) for part in optional
        ),
        taken=taken,
        answers_header=HEADER,
        entries=entries(tracked(root), parts),
        locks=stored.locks if stored else {},
    )


def tracked(root: Path) -> dict[str, bool]:
    """List what git tracks or would add, and whether it is executable."""
    repository = Repository.find(root)
    listed = repository.read("ls-files", "-z", "-co", "--exclude-standard")
    paths = [root / path for path in sorted(filter(None, listed.split("\0")))]
    return {
        str(path.relative_to(root)): bool(path.lstat().st_mode & 0o100)
        for path in paths
        if path.exists()
    }


def entries(
    files: dict[str, bool], parts: tuple[PartDefinition, ...]
) -> tuple[TemplateFile, ...]:
    """Say of each file what becomes of it; those of no service are not listed."""
    overlaid = {path.removeprefix(OVERLAY) for path in files if OVERLAY in path}
    found = []
    for path, executable in files.items():
        target = path.removeprefix(OVERLAY)
        owners = [part for part in parts if part.owns(path)]
        always_out = any(not part.question for part in owners)
        if target == path and (always_out or path in overlaid):
            continue
        found.append(
            TemplateFile(
                source=path,
                target=target,
                parts=tuple(part.name for part in owners if part.question),
                edits=tuple(
                    TextEdit(
                        without=(part.name,),
                        kept=edit.kept,
                        start=edit.start,
                        end=edit.end,
                        by=edit.by,
                    )
                    for part in parts
                    for edit in part.edits
                    if edit.file == target
                ),
                executable=executable,
                once=target in ONCE,
                versioned=target in VERSIONED,
                lock=target == "uv.lock",
            )
        )
    return tuple(sorted(found, key=lambda entry: entry.target))


def print_manifest(manifest: TemplateManifest) -> str:
    """Write a manifest with a line for each file, so that changes of it merge."""
    document = {"format": format_.FORMAT, **asdict(manifest)}
    document["files"] = document.pop("entries")
    document["taken"] = sorted(manifest.taken)
    for lock in document["locks"].values():
        lock["dropped"] = sorted(lock["dropped"])
    lines = []
    for key, value in document.items():
        if key == "files":
            rows = ",\n".join(f"  {json.dumps(row)}" for row in value)
            lines.append(f'"files": [\n{rows}\n]')
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
