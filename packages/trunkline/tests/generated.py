"""Services generated from the template, by the tool or by copier."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from copier import run_copy

from samples import Ran, Sample, identify

# The environment of this run, and what would tell of this repository.
OWN = ("VIRTUAL_ENV", "UV_OFFLINE", "UV_PROJECT", "PYTEST", "COV_", "GIT_CONFIG_")


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


def fresh(upstream: Sample, *options: str) -> Sample:
    """Make a service, as yet without a remote, for somebody who has an empty home."""
    service = by_tool(upstream, "acme-api", *options)
    home = upstream.root.parent / "home"
    home.mkdir()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(OWN)}
    # Half of what a worker of pytest computes in so short a run is its imports. What
    # many examples find, this repository's own gates find, in the same lines.
    quick = {
        "MYPY_CACHE_DIR": service.env["MYPY_CACHE_DIR"],
        "PYTEST_XDIST_AUTO_NUM_WORKERS": "0",
        "PYTEST_ADDOPTS": "--hypothesis-profile=quick",
    }
    service.env = {**kept, **quick, "HOME": str(home), "UV_PYTHON": sys.executable}
    service.env.pop("XDG_CACHE_HOME", None)
    # Docker's plugins are the machine's, wherever they lie.
    service.env.setdefault("DOCKER_CONFIG", str(Path.home() / ".docker"))
    identify(service, "team")
    return service


def run(service: Sample, *argv: str) -> str:
    """Run a program, which must succeed however long it takes; returns its output."""
    done = subprocess.run(
        argv,
        cwd=service.root,
        env=service.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{argv}: {(done.stdout + done.stderr)[-5000:]}"
    return done.stdout


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
