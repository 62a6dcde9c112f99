"""A service with micropackages: real git, real uv, addresses that lead to folders.

`https://git.example.com/team/` is a folder of bare repositories, by git's own
`insteadOf`, so that commands and files read as they do in a team's repository.
"""

import shutil
import subprocess
import time
import zipfile
from collections.abc import Mapping
from importlib.metadata import distribution
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


def build_members(folder: Path, *names: str) -> Path:
    """Build the service with micropackages that were never published."""
    sample = build_service(folder)
    for name in names:
        add_member(sample, name)
    sample.push()
    return folder


def copy_service(built: Path, folder: Path) -> Sample:
    """Copy what `build_members` has built, so that each test has its own."""
    shutil.copytree(built, folder, dirs_exist_ok=True, symlinks=True)
    env = team_environment(folder)
    return Sample(folder / "work", folder / "team/my-app.git", env)


def service_file() -> str:
    """Return this repository's own pyproject.toml without what needs the network."""
    real = tomlkit.parse((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    del real["dependency-groups"]
    del real["tool"]["uv"]["sources"]["trunkline"]
    del real["tool"]["uv"]["workspace"]["exclude"]
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


def offer_packages(service: Sample, *names: str) -> None:
    """Let uv find pytest and packages of this environment without the network."""
    folder = service.root.parent / "wheels"
    folder.mkdir()
    for name in ("pytest", "pluggy", "iniconfig", "packaging", "pygments", *names):
        pack_wheel(folder, name)
    service.env["UV_FIND_LINKS"] = str(folder)


def pack_wheel(folder: Path, name: str) -> None:
    """Pack an installed package as the wheel that it came from, or nearly."""
    found = distribution(name)
    wheel = folder / f"{name}-{found.version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in found.files or ():
            if ".." in file.parts or file.suffix == ".pyc":
                continue
            content = Path(str(file.locate())).read_bytes()
            if file.name == "METADATA":
                # That one is for Windows only.
                content = content.replace(b"Requires-Dist: colorama", b"X-Out: ")
            archive.writestr(file.as_posix(), content)


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


def build_monorepo(service: Sample, name: str, folder: str) -> None:
    """Build a repository whose subdirectory `folder` is a package, tagged v0.1.0."""
    root = service.root.parent / name
    origin = service.origin.parent / f"{name}.git"
    repository = Sample(root, origin, service.env)
    service.git("init", "-q", "--bare", "-b", "main", str(origin))
    root.mkdir()
    repository.git("init", "-q", "-b", "main", ".")
    identify(repository, "dev")
    ran = repository.run("uv", "init", "-q", "--package", "--vcs", "none", folder)
    assert ran.code == 0, ran.all
    repository.write(f"{folder}/run.sh", "#!/bin/sh\n")
    (root / folder / "run.sh").chmod(0o755)
    repository.git("remote", "add", "origin", f"{TEAM}{name}.git")
    repository.git("add", "-A")
    tag_monorepo(service, name, "v0.1.0", {})


def tag_monorepo(
    service: Sample, name: str, tag: str, files: Mapping[str, str]
) -> None:
    """Commit files to a repository beside the service's, and publish them as a tag."""
    repository = Sample(service.root.parent / name, service.origin, service.env)
    repository.commit(f"feat: {tag}", files)
    repository.git("tag", "-f", "-a", tag, "-m", tag)
    repository.git("push", "-q", "--force", "origin", "main", tag)


def use(service: Sample, *arguments: str) -> str:
    """Run `packages use`, which must succeed and lock; return what it prints."""
    ran = service.trunkline("packages", "use", *arguments)
    assert ran.code == 0, ran.all
    assert service.run("uv", "lock", "--check").code == 0
    return ran.out


def refused(service: Sample, *arguments: str, code: int = 1, **env: str) -> str:
    """Run `packages use`, which must fail and change nothing; return what it says."""
    before = service.picture()
    ran = service.trunkline("packages", "use", *arguments, **env)
    assert ran.code == code, ran.all
    assert service.picture() == before
    return ran.err


def end_while_locking(service: Sample, number: int, *arguments: str) -> int | None:
    """Send `packages use` a signal while it waits for uv; return its exit code."""
    slow, called = service.root.parent / "slow-uv", service.root.parent / "called"
    slow.write_text(f"#!/bin/sh\ntouch {called}\nexec sleep 20\n")
    slow.chmod(0o755)
    process = subprocess.Popen(
        ["trunkline", "packages", "use", *arguments],
        cwd=service.root,
        env={**service.env, "UV": str(slow)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while not called.exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    process.communicate(timeout=600)
    return process.returncode
