"""What docs/playbook.md writes in a service passes the service's own gates.

That its commands do what it says is shown by the release tool's tests, in a repository
whose gates take no time.
"""

import re
import shutil
from pathlib import Path

import pytest

from test_feature_command import GATES
from test_feature_removal import MADE, run

from tests.servers import ROOT

PAGE = (ROOT / "docs/playbook.md").read_text(encoding="utf-8")
WRITTEN = re.findall(
    r"^```(python|diff) (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL
)


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """Copy the service."""
    ignored = shutil.ignore_patterns(*MADE)
    shutil.copytree(ROOT, tmp_path, ignore=ignored, dirs_exist_ok=True)
    run(tmp_path, "git", "init", "-q", "-b", "main")
    return tmp_path


def test_all_that_it_writes_passes_every_gate(service: Path) -> None:
    for kind, path, text in WRITTEN:
        file = service / path
        if kind == "python":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        else:
            patch = service / "change.patch"
            patch.write_text(f"--- a/{path}\n+++ b/{path}\n{text}", encoding="utf-8")
            run(service, "git", "apply", "change.patch")
            patch.unlink()
    assert {kind for kind, _, _ in WRITTEN} == {"python", "diff"}
    for gate in GATES:
        run(service, *gate)
    own = ",".join(path for _, path, _ in WRITTEN if path.startswith("src/"))
    run(service, "coverage", "report", f"--include={own}", "--fail-under=100")
    run(service, "pytest", "-n2", "--no-cov", "--flags=on")
