"""Services generated from the template, by the tool or by copier."""

from collections.abc import Mapping
from pathlib import Path

from copier import run_copy

from samples import Ran, Sample, identify


def by_tool(upstream: Sample, name: str, *options: str) -> Sample:
    """Generate a service with the tool, in the folder `name` beside the template."""
    folder = upstream.root.parent / name
    ran = run_tool(upstream, name, *options)
    assert ran.code == 0, ran.all
    service = Sample(folder, upstream.origin, upstream.env)
    identify(service, "team")
    return service


def run_tool(upstream: Sample, name: str, *options: str) -> Ran:
    """Run `trunkline template new`."""
    home = upstream.root.parent
    place = Sample(home, upstream.origin, {**upstream.env, "XDG_CACHE_HOME": str(home)})
    source = () if "--from" in options else ("--from", str(upstream.origin))
    return place.trunkline("template", "new", name, *source, *options)


def by_copier(
    upstream: Sample,
    name: str,
    answers: Mapping[str, object],
    *,
    at: str | None = None,
    address: str | None = None,
) -> Path:
    """Generate a service with copier, without `--trust`, from answers."""
    folder = upstream.root.parent / name
    run_copy(
        address or str(upstream.origin),
        folder,
        data=dict(answers),
        vcs_ref=at,
        defaults=True,
        quiet=True,
    )
    return folder


def tree(folder: Path) -> dict[str, tuple[bytes, bool]]:
    """Every file of a folder with its bytes and whether it is executable."""
    return {
        str(path.relative_to(folder)): (
            path.read_bytes(),
            bool(path.stat().st_mode & 0o100),
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(folder).parts[:1]
    }
