import re
import tomllib
from pathlib import Path

import pytest

from samples import REPOSITORY
from workspaces import build_library, build_monorepo, build_service, offer_packages

PAGE = REPOSITORY / "packages/trunkline/docs/micropackages.md"
DOCUMENT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(bash|toml)\n(.*?)^```$", DOCUMENT, re.DOTALL | re.MULTILINE)


@pytest.mark.slow
def test_the_document_on_micropackages_is_true(tmp_path: Path) -> None:
    service = build_service(tmp_path)
    offer_packages(service)
    build_library(service, "money", "1.2.0")
    build_monorepo(service, "platform", "packages/road")
    for kind, block in BLOCKS:
        if kind == "toml":
            assert block in service.read("pyproject.toml")
            continue
        ran = service.run("bash", "-euo", "pipefail", "-c", block)
        assert ran.code == 0, f"{block}\n{ran.all}"
        assert service.run("uv", "lock", "--check").code == 0
    assert service.git("status", "--porcelain") == ""
    lock = tomllib.loads(service.read("uv.lock"))
    sources = {package["name"]: package["source"] for package in lock["package"]}
    assert "tag=pricing-rules-v0.2.0#" in sources["pricing-rules"]["git"]
    assert "tag=v1.2.0#" in sources["money"]["git"]
    assert "tag=v0.1.0#" in sources["road"]["git"]


def test_the_document_has_commands_for_both_modes() -> None:
    commands = "".join(block for kind, block in BLOCKS if kind == "bash")
    assert "packages use prod\n" in commands
    assert "packages use dev\n" in commands
    assert "git submodule add" in commands
    assert "git submodule update --remote packages/money" in DOCUMENT
