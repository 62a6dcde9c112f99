"""What a build makes of a change: as little as possible, and always the same."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import containers as docker
from containers import Engine, Image, base_image
from project_image import version

from tests.servers import ROOT, clean_environment

BASE = base_image()
CODE = Path("src/my_app/core/billing/pricing.py")


def changed(before: Image, after: Image) -> list[str]:
    """Return the layers of `after` that `before` does not have."""
    known = set(before.layers)
    return [layer for layer in after.layers if layer not in known]


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def uv(folder: Path, *arguments: str) -> None:
    program = os.environ.get("UV") or shutil.which("uv")
    assert program is not None
    subprocess.run(
        [program, *arguments],
        check=True,
        cwd=folder,
        env=clean_environment() | {"UV_PYTHON": sys.executable},
        timeout=300,
    )


def identity(image: Image, folder: Path) -> tuple[str, bytes]:
    """Return the configuration's digest, and the index that names the manifest's."""
    archive = folder / "image.tar"
    docker.run("image", "save", f"--output={archive}", image.identity)
    listing = subprocess.run(
        ["tar", "-xOf", archive, "index.json"],  # noqa: S607 - wherever it is
        check=True,
        capture_output=True,
        timeout=60,
    )
    return image.identity, listing.stdout


def test_two_builds_without_a_cache_are_the_same_to_the_byte(
    engine: Engine, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("archives")
    first = engine.build(project, cached=False, REVISION="abc")
    second = engine.build(project, cached=False, REVISION="abc")

    assert identity(first, folder) == identity(second, folder)


def test_a_code_change_is_one_small_layer_even_for_a_cold_builder(
    engine: Engine, image: Image, project: Path, tmp_path: Path
) -> None:
    edit(project / CODE, '"""', '"""A change. ')

    after = engine.build(project, cached=False)

    (new,) = changed(image, after)
    assert new == after.layers[-1]
    (layer,) = after.contents(tmp_path, {new})
    assert layer.packed <= 200_000


def test_a_version_bump_changes_the_layer_of_the_app_alone(
    engine: Engine, image: Image, project: Path
) -> None:
    for name in ("pyproject.toml", "uv.lock"):
        edit(
            project / name,
            f'name = "my-app"\nversion = "{version()}"',
            'name = "my-app"\nversion = "98.76.54"',
        )

    after = engine.build(project)

    assert changed(image, after) == after.layers[-1:]
    code = "from importlib.metadata import version; "
    code += "print(version('my-app'))"
    assert after.run("python", "-c", code) == "98.76.54\n"


def test_a_new_development_tool_changes_nothing(
    engine: Engine, image: Image, project: Path
) -> None:
    before = (project / "uv.lock").read_bytes()
    uv(project, "add", "--quiet", "--dev", "--no-sync", "colorama")
    assert (project / "uv.lock").read_bytes() != before

    assert changed(image, engine.build(project)) == []


def test_a_new_dependency_leaves_the_layers_below_it(
    engine: Engine, image: Image, project: Path
) -> None:
    uv(project, "add", "--quiet", "--no-sync", "colorama")

    after = engine.build(project)

    assert changed(image, after) == after.layers[-2:]


def test_labels_change_no_layer_and_arrive_as_they_were_given(
    engine: Engine, image: Image, project: Path
) -> None:
    subject = 'feat: "quotes", $HOME, `code` and ünïcode'

    after = engine.build(project, SUBJECT=subject, FLAGS='{"ENABLE_X": {"on": true}}')

    assert changed(image, after) == []
    labels = after.inspect()["Config"]["Labels"]
    assert labels["dev.trunkline.subject"] == subject
    assert labels["dev.trunkline.flags"] == '{"ENABLE_X": {"on": true}}'


def test_an_extra_comes_along_where_it_is_asked_for(
    engine: Engine, image: Image, project: Path
) -> None:
    after = engine.build(project, EXTRAS="sentry tracing")

    code = "import sentry_sdk, opentelemetry.sdk"
    after.run("python", "-c", code)
    assert "ModuleNotFoundError" in image.run("python", "-c", code, accepted=1)


def test_a_micropackage_in_dev_mode_is_in_the_layer_of_the_app(
    engine: Engine, image: Image, project: Path
) -> None:
    uv(project, "init", "--quiet", "--lib", "packages/pricing-rules")
    uv(project, "add", "--quiet", "--no-sync", "pricing-rules")

    after = engine.build(project)

    assert changed(image, after) == after.layers[-1:]
    code = "import pricing_rules; print(pricing_rules.__file__)"
    assert "/site-packages/pricing_rules/" in after.run("python", "-c", code)


def test_a_micropackage_in_prod_mode_comes_from_its_commit(
    engine: Engine, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = tmp_path_factory.mktemp("server")
    origin = server / "pricing-rules"
    uv(server, "init", "--quiet", "--lib", "--vcs=git", str(origin))
    git = ("git", "-C", origin, "-c", "user.name=Ada", "-c", "user.email=ada@localhost")
    for words in (("add", "-A"), ("commit", "--quiet", "--message=feat: begin")):
        subprocess.run([*git, *words], check=True, timeout=60)
    uv(project, "add", "--quiet", "--no-sync", f"git+{origin.as_uri()}")
    # The builder finds the repository at the address that it has here.
    (server / "Dockerfile").write_text(f"FROM {BASE}\nCOPY pricing-rules {origin}\n")
    base = engine.build(server)

    after = engine.build(project, PYTHON_IMAGE=base.name)

    code = "import pricing_rules; print(pricing_rules.__file__)"
    assert "/site-packages/pricing_rules/" in after.run("python", "-c", code)
    assert after.run("sh", "-c", "command -v git || true") == ""


def test_a_company_s_index_is_a_secret_of_the_build(
    engine: Engine, project: Path, tmp_path: Path
) -> None:
    configuration = tmp_path / "uv.toml"
    index = "http://127.0.0.1:1/simple"
    configuration.write_text(f'[[index]]\nurl = "{index}"\ndefault = true\n')

    with pytest.raises(AssertionError, match=f"Failed to fetch: {index}"):
        engine.build(
            project,
            f"--secret=id=uv.toml,src={configuration}",
            target="deps",
            cached=False,
        )


def test_a_lock_file_that_is_behind_stops_the_build(
    engine: Engine, project: Path
) -> None:
    edit(project / "pyproject.toml", '"uvicorn>=0.54"', '"uvicorn>=0.54", "colorama"')

    with pytest.raises(AssertionError, match=r"uv\.lock is behind: uv lock"):
        engine.build(project)


def test_a_build_sees_only_what_it_needs(engine: Engine, project: Path) -> None:
    for name in (
        ".env",
        "secret.pem",
        "src/my_app/.env",
        "tests/test_x.py",
    ):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("SECRET=1")

    seen = engine.build(project, target="app").run("find", "/src", "-type", "f")

    files = {line.removeprefix("/src/") for line in seen.splitlines()}
    own = "src/my_app/"
    outside = {name for name in files if not name.startswith(own)}
    assert outside <= {
        "pyproject.toml",
        "uv.lock",
        "README.md",
        "LICENSE",
        "own.txt",
        "docker/unshipped.txt",
        "packages/trunkline/pyproject.toml",
    }
    assert str(CODE) in files
    assert "src/my_app/.env" not in files


@pytest.mark.parametrize("file", ["Dockerfile", "docker/worker.Dockerfile"])
def test_the_engine_finds_nothing_to_warn_of(
    file: str, engine: Engine, project: Path
) -> None:
    assert isinstance(engine, Engine)

    # The check looks at each image that is named, and there may be no network.
    checked = project / "checked.Dockerfile"
    text = (ROOT / file).read_text(encoding="utf-8")
    checked.write_text(re.sub(r"@sha256:\w+", "", text), encoding="utf-8")
    said = docker.run("build", "--check", f"--file={checked}", str(project))

    assert "no warnings found" in said.stdout + said.stderr
