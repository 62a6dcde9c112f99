"""A project of two modules, with the loop running in it."""

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from terminals import Terminal, beside_python, on_terminal

FILES = {
    "pyproject.toml": """
[tool.pytest.ini_options]
addopts = ["-q", "-p", "no:randomly", "-p", "no:hypothesispytest"]
testpaths = ["tests"]
pythonpath = ["."]
[tool.trunkline]
loop_arguments = ["-p", "no:cacheprovider"]
""",
    "shop/__init__.py": "",
    "shop/price.py": "PRICE = 1\n",
    "shop/stock.py": "STOCK = 1\n",
    "tests/conftest.py": "",
    "tests/test_price.py": "from shop import price\n\n"
    "def test_price():\n    assert price.PRICE == 1\n",
    "tests/test_stock.py": "from shop import stock\n\n"
    "def test_stock():\n    assert stock.STOCK == 1\n",
}
# How the last verdict after a save begins; the keys follow it.
LAST = r"(green|red): ([^·]*) · [\d.]+ s · Enter"


class Shop:
    """The project, and the terminal on which `ptw .` runs in it."""

    def __init__(self, root: Path, terminal: Terminal) -> None:
        self.root = root
        self.terminal = terminal

    def save(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    def verdict(self) -> tuple[str, str]:
        """Wait for the last verdict; return its colour and what it is about."""
        found = re.search(LAST, self.terminal.until(LAST))
        assert found
        return found[1], found[2]

    def wait_for(self, name: str) -> str:
        """Wait until a test has written a file; return its text."""
        file = self.root / name
        while not (file.exists() and file.read_text()):
            time.sleep(0.01)
        return file.read_text()


def build_shop(root: Path) -> Path:
    for name, text in FILES.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    return root


def clean_environment() -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if "PYTEST" not in name}
    shared = {"PYTEST_XDIST_AUTO_NUM_WORKERS": "2"}
    return kept | shared | {"TERM": "xterm", "COLUMNS": "80"}


@contextmanager
def looping(
    root: Path, *arguments: str, python: Path = Path(sys.executable)
) -> Iterator[Shop]:
    """Run the loop in a project."""
    command = [str(python), beside_python("ptw"), ".", *arguments]
    with on_terminal(command, cwd=root, env=clean_environment()) as terminal:
        yield Shop(root, terminal)
