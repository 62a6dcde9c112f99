"""What the gate `template` finds in the live files."""

import os
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from samples import REPOSITORY, Ran, Sample

pytestmark = pytest.mark.slow


def check(upstream: Sample, *options: str) -> Ran:
    return upstream.run(sys.executable, ".template/manifest.py", *options)


def written(path: str, content: str) -> Callable[[Path], None]:
    def write(root: Path) -> None:
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(content, newline="")

    return write


def replaced(path: str, old: str, new: str) -> Callable[[Path], None]:
    def replace(root: Path) -> None:
        text = (root / path).read_text()
        assert old in text
        (root / path).write_text(text.replace(old, new))

    return replace


def picture(path: Path) -> None:
    path.write_bytes(b"\x89PNG\xff")


FAULTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a new file": (written("docs/new.md", "x\n"), "is not what these files give"),
    "a deleted file": (
        lambda root: os.remove(root / "tests/core/platform/http/test_headers.py"),
        "is not what",
    ),
    "an executable": (
        lambda root: (root / "CONTRIBUTING.md").chmod(0o755),
        "is not what",
    ),
    "a link": (
        lambda root: os.symlink("LICENSE", root / "COPYING"),
        "COPYING is a symbolic link",
    ),
    "CRLF": (written("docs/new.md", "x\r\n"), "has carriage returns"),
    "bytes": (
        lambda root: picture(root / "logo.png"),
        "logo.png is not UTF-8 text",
    ),
    "a delimiter": (written("docs/new.md", "{@ x"), "has {@, a delimiter"),
    "a word around the name": (written("docs/new.md", "dummy_app my_apple"), "my_appl"),
    "another spelling": (written("docs/new.md", "Myapp"), "spells the name 'Myapp'"),
    "another spelling in a path": (written("docs/myapp.md", "x"), "spells the name"),
    "a left word of a part": (
        written("docs/new.md", "Billing"),
        "docs/new.md: 'Billing' is left over from the part billing",
    ),
    "an edit without a place": (
        replaced(
            "src/my_app/core/app.py", "from . import billing", "from . import bill"
        ),
        "core/app.py: found 0 places that begin with 'from . import billing",
    ),
    "an edit of no file": (
        replaced(".template/parts/billing.toml", '".env.example"', '".env.sample"'),
        "parts/billing.toml: no service has .env.sample",
    ),
    "a pattern of no file": (
        replaced(".template/parts/billing.toml", "tests/core/billing", "tests/bill"),
        "parts/billing.toml: no file matches tests/bill/*",
    ),
    "a link to nowhere": (
        written("docs/new.md", "[x](../gone.md#top), [y](../LICENSE), https://a.b/c\n"),
        "docs/new.md:1: leads to gone.md, which is not there",
    ),
    "a file that is not there": (
        written("docs/new.md", "\n`src/my_app/core/gone.py`, `src/my_app/core/`.\n"),
        "docs/new.md:2: leads to src/my_app/core/gone.py, which is not there",
    ),
    "a file of a part": (
        written("docs/new.md", "`src/my_app/core/platform/db/engine.py`\n"),
        "docs/new.md:1: leads to src/my_app/core/platform/db/engine.py, which is not",
    ),
    "a record that no service has": (
        written("docs/new.md", "See records 11 and 14.\n"),
        "docs/new.md:1: records 11 is not there",
    ),
    "a dependency that is not locked": (
        replaced("pyproject.toml", '"structlog>=26.1"', '"structlog>=26.2"'),
        "uv.lock without template: ",
    ),
    "a feature for this repository": (
        written("src/my_app/core/customers/rules.py", "LIMIT = 3\n"),
        "src/my_app/core/customers: this is the template; generate a service and build",
    ),
    "a part that is not asked for": (
        replaced("copier.yml", "\nkeep_billing:\n", "\nkeep_bills:\n"),
        "copier.yml does not ask keep_billing; add the question",
    ),
    "paths that differ in case only": (
        written("docs/Playbook.md", "x\n"),
        "docs/playbook.md and docs/Playbook.md differ in case only",
    ),
    "a line that grows too long": (
        written(
            "src/my_app/long.py",
            "import my_app.core.platform.observability.metrics as ours\n",
        ),
        "package qqqqqqqqqqqqqq_zzzzzzzzzzzzzzz without template: src/",
    ),
}


def test_the_manifest_is_what_the_live_files_give(upstream: Sample) -> None:
    ran = check(upstream, "--check")
    assert (ran.code, ran.all) == (0, "")


@pytest.mark.parametrize("fault", FAULTS)
def test_what_would_spoil_a_service_is_found(upstream: Sample, fault: str) -> None:
    break_it, said = FAULTS[fault]
    break_it(upstream.root)
    ran = check(upstream, "--check")
    assert ran.code == 1
    assert said in ran.err
    assert "type next: " in ran.err


def test_few_edits_leave_out_a_part_and_the_readme_says_why() -> None:
    readme = (REPOSITORY / ".template/README.md").read_text()
    for part, count in {"persistence": 6, "billing": 5}.items():
        text = (REPOSITORY / f".template/parts/{part}.toml").read_text()
        assert len(tomllib.loads(text)["edits"]) == count
        assert f"\n| {part} | {count} | " in readme


def test_a_release_of_the_template_leaves_its_manifest_alone(upstream: Sample) -> None:
    """`cz bump` edits the version, the lock file and the changelog."""
    replaced("pyproject.toml", 'version = "0.0.0"', 'version = "0.7.0"')(upstream.root)
    upstream.write("CHANGELOG.md", "# Changelog\n\n## v0.7.0\n")
    assert upstream.run("uv", "lock", "-q", UV_OFFLINE="0").code == 0
    ran = check(upstream, "--check")
    assert (ran.code, ran.all) == (0, "")


def test_a_new_file_is_taken_in(upstream: Sample) -> None:
    upstream.write("docs/new.md", "x\n")
    assert check(upstream).code == 0
    assert check(upstream, "--check").code == 0
    assert '"target": "docs/new.md"' in upstream.read(".template/manifest.json")


def test_the_gate_runs_in_the_template_only(upstream: Sample) -> None:
    """A service has neither the gate nor what it runs."""
    assert (REPOSITORY / ".template").is_dir()
    gates = upstream.trunkline("check", "--list")
    assert "python .template/manifest.py --check" in gates.out
