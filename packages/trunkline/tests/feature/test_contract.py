"""What the modules of a feature may import, without a line for each feature."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from samples import REPOSITORY

CORE = "src/my_app/core"
RULES = "Rules know no web framework, no driver, no settings and no server"
ASIDE = "In the core wiring imports features, features the platform, none another"
PARTS = "A feature's own parts point one way: endpoints, schemas and repository, tables"


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """The service with its real contracts and a second, empty feature."""
    shutil.copytree(REPOSITORY / "src", tmp_path / "src")
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    write(tmp_path, "customers/__init__.py", "")
    return tmp_path


def write(root: Path, path: str, text: str) -> None:
    file = root / CORE / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def broken(root: Path) -> list[str]:
    """Name the contracts that the service breaks."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=root,
        env={"PYTHONPATH": str(root / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    names = re.findall(r"^(.+) BROKEN", done.stdout, flags=re.MULTILINE)
    assert "KEPT" in done.stdout, done.stdout + done.stderr
    assert done.returncode == bool(names)
    return names


@pytest.mark.parametrize(
    ("path", "text", "contract"),
    [
        ("customers/customers.py", "import sqlalchemy", RULES),
        ("customers/customers.py", "import package_of_tomorrow", RULES),
        ("customers/names/short.py", "from fastapi import Depends", RULES),
        ("customers/prices.py", "from ...config import Flags", RULES),
        ("customers/prices.py", "from ..platform.context import Context", RULES),
        ("customers/endpoints.py", "from ..billing import pricing", ASIDE),
        ("customers/prices.py", "from .. import app", ASIDE),
        ("platform/errors.py", "from .. import customers", ASIDE),
        ("login.py", "from . import customers", ASIDE),
    ],
)
def test_what_a_feature_must_not_import_is_found(
    service: Path, path: str, text: str, contract: str
) -> None:
    write(service, path, f"{text}\n")
    (service / CORE / path).with_name("__init__.py").touch()
    assert contract in broken(service)


def test_rules_do_not_reach_the_database_through_the_repository(service: Path) -> None:
    write(service, "customers/repository.py", "import sqlalchemy\n")
    write(service, "customers/prices.py", "from . import repository\n")
    assert broken(service) == [RULES]


def test_rules_may_import_a_package_that_is_allowed(service: Path) -> None:
    project = service / "pyproject.toml"
    text = project.read_text().replace("packages = [] #", 'packages = ["dateutil"] #')
    project.write_text(text)
    write(service, "customers/customers.py", "import datetime\nimport dateutil\n")
    assert broken(service) == []


def test_tables_do_not_know_the_endpoints(service: Path) -> None:
    write(service, "customers/endpoints.py", "import fastapi\n")
    write(service, "customers/tables.py", "from . import endpoints\n")
    assert broken(service) == [PARTS]


def test_adapters_and_a_plain_module_of_the_core_are_free(service: Path) -> None:
    write(service, "customers/__init__.py", "from . import endpoints, tasks\n")
    write(service, "customers/endpoints.py", "import fastapi\nfrom . import schemas\n")
    write(service, "customers/schemas.py", "import pydantic\n")
    write(service, "customers/repository.py", "import sqlalchemy\nfrom . import tables")
    write(service, "customers/tables.py", "import sqlalchemy\n")
    write(service, "customers/tasks.py", "from ..platform.db import database\n")
    write(service, "login.py", "import fastapi\nfrom .platform import build\n")
    assert broken(service) == []
