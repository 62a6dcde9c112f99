"""Make a service from the working tree in every combination of parts; check each.

    uv run python .template/matrix.py                     # every combination
    uv run python .template/matrix.py --list              # as JSON, for CI's matrix
    uv run python .template/matrix.py --only billing      # without billing alone
    uv run python .template/matrix.py --only "" -- make test

What follows `--` is run in each service; without it, that is `make check`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from trunkline.git import Repository
from trunkline.output import write_outputs
from trunkline.template.answers import Answers
from trunkline.template.generate import begin_repository
from trunkline.template.manifest import PATH, TemplateManifest, parse_manifest
from trunkline.template.render import render, sources

from machinery.locks import choices
from machinery.snapshot import snapshot

NAMES = ("acme_api", "Acme API")


def main() -> int:
    """Run the command in each service; returns 1 if it failed in one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="print, and make nothing")
    parser.add_argument(
        "--github-output", action="store_true", help="with --list: as `parts`, too"
    )
    parser.add_argument("--only", metavar="PARTS", help="parts left out, by comma")
    parser.add_argument("command", nargs="*", default=["make", "check"])
    options = parser.parse_args()
    root = Repository.find(Path(__file__).parent).root
    manifest = parse_manifest((root / PATH).read_bytes())
    wanted = {gone(manifest, kept): kept for kept in choices(manifest)}
    if options.only is not None:
        wanted = {options.only: wanted[options.only]}
    if options.list:
        if options.github_output:
            write_outputs({"parts": json.dumps(list(wanted))})
        print(json.dumps(list(wanted)))
        return 0
    with snapshot(root) as place:
        failed = [
            name
            for name, kept in wanted.items()
            if not passes(root, manifest, service(place, kept), name, options.command)
        ]
    for name in failed:
        print(f"failed without: {name or 'nothing'}", file=sys.stderr)
    return 1 if failed else 0


def service(place: tuple[str, str], kept: Mapping[str, bool]) -> Answers:
    """Describe a service whose tool is that of the working tree."""
    url, commit = place
    return Answers(*NAMES, source=url, commit="", commit_id=commit, kept=kept)


def gone(manifest: TemplateManifest, kept: Mapping[str, bool]) -> str:
    """Name a combination by what is left out."""
    return ",".join(part.name for part in manifest.parts if not kept[part.question])


def passes(
    root: Path,
    manifest: TemplateManifest,
    answers: Answers,
    name: str,
    command: list[str],
) -> bool:
    """Make a service, for a while, and run the command in it."""
    print(f"== without {name or 'nothing'}: {' '.join(command)}", flush=True)
    # The environment of this repository is not the service's.
    mine = {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"}
    env = {key: value for key, value in os.environ.items() if key not in mine}
    with tempfile.TemporaryDirectory(prefix="service-") as folder:
        make(root, manifest, answers, Path(folder))
        done = subprocess.run(command, cwd=folder, env=env, check=False)  # noqa: S603
    return done.returncode == 0


def make(
    root: Path, manifest: TemplateManifest, answers: Answers, folder: Path
) -> None:
    """Write a service into a folder, as the first commit of a repository."""
    entries = sources(manifest, answers.kept)
    contents = {entry.source: (root / entry.source).read_bytes() for entry in entries}
    for path, file in render(manifest, answers, contents).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(file.content)
        (folder / path).chmod(0o755 if file.executable else 0o644)
    begin_repository(folder, "feat: begin the service")


if __name__ == "__main__":
    sys.exit(main())
