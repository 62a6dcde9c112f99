"""A service with micropackages: real git, real uv, addresses that lead to folders.

`https://git.example.com/team/` is a folder of bare repositories, by git's own
`insteadOf`, so that commands and files read as they do in a team's repository.
"""

import shutil
from pathlib import Path

import tomlkit

from samples import REPOSITORY, Sample, environment, identify

TEAM = "https://git.example.com/team/"


def build_service(folder: Path) -> Sample:
    """Build the service `my-app` in `folder`/work, pushed to its origin."""
    env = team_environment(folder)
    sample = Sample(folder / "work", folder / "team/my-app.git", env)
    sample.root.mkdir(parents=True)
    sample.origin.parent.mkdir()
    sample.git("init", "-q", "-b", "main", ".")
    sample.git("init", "-q", "--bare", "-b", "main", str(sample.origin))
    sample.git("remote", "add", "origin", f"{TEAM}my-app.git")
    identify(sample, "dev")
    sample.write("pyproject.toml", service_file())
    sample.write("src/my_app/__init__.py", "")
    sample.write(".gitignore", ".venv/\n__pycache__/\n")
    shutil.copy(REPOSITORY / ".python-version", sample.root)
    ran = sample.run("uv", "lock", "-q")
    assert ran.code == 0, ran.all
    sample.git("add", "-A")
    sample.git("commit", "-q", "-m", "chore: lay out the project")
    sample.git("push", "-q", "-u", "origin", "main")
    return sample


def service_file() -> str:
    """Return this repository's own pyproject.toml without what needs the network."""
    real = tomlkit.parse((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    del real["dependency-groups"]
    del real["tool"]["uv"]["sources"]["trunkline"]
    for key in ("optional-dependencies", "scripts", "readme", "license-files"):
        del real["project"][key]
    real["project"]["dependencies"] = []
    return tomlkit.dumps(real)


def team_environment(folder: Path) -> dict[str, str]:
    """Return an environment in which the team's addresses are folders here."""
    settings = {
        f"url.{(folder / 'team').as_uri()}/.insteadOf": TEAM,
        # A submodule from a folder is refused by git unless it is allowed.
        "protocol.file.allow": "always",
    }
    env = environment(folder, GIT_CONFIG_COUNT=str(len(settings)), UV_NO_INDEX="1")
    # Offline uv fetches from no https address, and here those are folders.
    del env["UV_OFFLINE"]
    env.pop("VIRTUAL_ENV", None)
    for number, (key, value) in enumerate(settings.items()):
        env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return env


def build_library(service: Sample, name: str, version: str) -> Sample:
    """Build a library in a repository of its own, published as `v` and the version."""
    root = service.root.parent / f"library-{name}"
    origin = service.origin.parent / f"{name}.git"
    library = Sample(root, origin, service.env)
    service.git("init", "-q", "--bare", "-b", "main", str(origin))
    ran = service.run("uv", "init", "-q", "--lib", "--name", name, str(root))
    assert ran.code == 0, ran.all
    text = library.read("pyproject.toml").replace("0.1.0", version)
    identify(library, "dev")
    library.git("add", "-A")
    library.git("checkout", "-q", "-B", "main")
    library.commit("feat: begin", {"pyproject.toml": text})
    library.git("tag", "-a", f"v{version}", "-m", version)
    library.git("remote", "add", "origin", f"{TEAM}{name}.git")
    library.git("push", "-q", "--atomic", "origin", "main", f"v{version}")
    return library


def add_member(service: Sample, name: str) -> None:
    """Add a member that the service depends on, committed but not published."""
    for argv in (("init", "-q", "--lib", f"packages/{name}"), ("add", "-q", name)):
        ran = service.run("uv", *argv)
        assert ran.code == 0, ran.all
    service.git("add", "-A")
    service.commit(f"feat({name}): begin")


def publish(service: Sample, tag: str) -> None:
    service.git("tag", "-a", tag, "-m", tag)
    service.git("push", "-q", "--atomic", "origin", "HEAD", tag)


def clone(service: Sample, name: str) -> Sample:
    """Clone the service once more, as another developer, without its submodules."""
    root = service.root.parent / name
    service.git("clone", "-q", f"{TEAM}my-app.git", str(root))
    other = Sample(root, service.origin, service.env)
    identify(other, name)
    return other
