"""`ptw .` answers at each save, and never with a verdict older than the last one."""

import sysconfig
import time
import venv
from pathlib import Path

import pytest

import trunkline
from loop.projects import Shop, looping

pytestmark = pytest.mark.slow

PRICED = "def test_price():\n    from shop import price\n    assert price.PRICE == 1\n"
HANGING = (
    "import pathlib, time\n"
    "pathlib.Path('begun.txt').write_text('yes')\n"
    "while True:\n    time.sleep(0.01)\n"
)


def test_the_tests_that_mirror_the_saved_file_answer_first(shop: Shop) -> None:
    shop.save("shop/price.py", "PRICE = 2\n")

    assert "assert 2 == 1" in shop.terminal.until(r"red: tests/test_price.py · ")
    assert shop.verdict() == ("red", "tests/test_price.py")

    shop.save("shop/price.py", "PRICE = 1\n")

    assert "1 passed" in shop.terminal.until(r"green: tests/test_price.py · ")
    assert shop.verdict() == ("green", "all quick tests")


def test_the_other_tests_are_run_too(shop: Shop) -> None:
    shop.save("shop/price.py", "from shop import stock\nstock.STOCK = 2\nPRICE = 1\n")
    shop.save("tests/test_stock.py", PRICED.replace("== 1", "== 3"))
    shop.verdict()
    shop.save("shop/price.py", "PRICE = 1\n\n")

    shop.terminal.until(r"green: tests/test_price.py · ")
    assert shop.verdict() == ("red", "all other quick tests")


def test_a_save_stops_the_run_that_it_makes_stale(shop: Shop) -> None:
    shop.save("shop/price.py", HANGING)
    shop.wait_for("begun.txt")
    shop.save("shop/price.py", "PRICE = 2\n")
    colour, _ = shop.verdict()

    assert colour == "red"


def test_no_verdict_is_shown_of_a_run_that_ended_as_a_file_was_saved(
    shop: Shop,
) -> None:
    shop.save(
        "tests/test_price.py",
        "from pathlib import Path\n\ndef test_price():\n"
        "    Path('shop/price.py').write_text('PRICE = 2\\n')\n",
    )
    # Each run saves a file itself, so none may show a verdict.
    shown = shop.terminal.until(r"stopped 5 times in a row, now by .*price\.py")
    assert "passed" not in shown
    assert "green" not in shown

    shop.save("tests/test_price.py", PRICED)
    assert shop.verdict()[0] == "red"


def test_two_saves_of_one_size_within_a_second_are_told_apart(shop: Shop) -> None:
    for number in (2, 1) * 4:
        shop.save("shop/price.py", f"PRICE = {number}\n")
        colour = "green" if number == 1 else "red"
        assert colour in shop.terminal.until(rf"{colour}: tests/test_price.py · ")


def test_the_last_of_many_saves_counts(shop: Shop) -> None:
    for number in range(40):
        shop.save("shop/price.py", f"PRICE = {number}\n")
        time.sleep(0.02)
    shop.save("shop/price.py", "PRICE = 1\n")

    shop.terminal.until(r"green: tests/test_price.py · ")
    assert shop.verdict()[0] == "green"


def test_a_file_that_is_replaced_counts_as_saved(shop: Shop) -> None:
    shop.save("shop/price.py~", "PRICE = 2\n")
    (shop.root / "shop/price.py~").rename(shop.root / "shop/price.py")

    assert shop.verdict() == ("red", "tests/test_price.py")


def test_a_file_that_is_deleted_or_renamed_is_missed_at_once(shop: Shop) -> None:
    (shop.root / "shop/price.py").rename(shop.root / "shop/cost.py")
    assert shop.verdict()[0] == "red"
    (shop.root / "shop/cost.py").rename(shop.root / "shop/price.py")
    assert shop.verdict()[0] == "green"
    (shop.root / "shop/stock.py").unlink()
    assert shop.verdict()[0] == "red"
    (shop.root / "tests/test_stock.py").unlink()
    assert shop.verdict()[0] == "green"


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("tests/conftest.py", "def (", ""),
        ("pyproject.toml", "[tool.pytest.ini_options\n", None),
        ("pyproject.toml", "[tool.trunkline]\nloup_files = []\n", None),
        ("pyproject.toml", "[tool.pytest.ini_options]\naddopts = '--nonsense'\n", None),
    ],
)
def test_what_stops_pytest_from_starting_is_red_until_it_is_right(
    shop: Shop, name: str, wrong: str, right: str | None
) -> None:
    right = (shop.root / name).read_text() if right is None else right
    shop.save(name, wrong)
    shop.terminal.until(r"red")
    shop.save(name, right)
    shop.terminal.until(r"green")


def test_libraries_are_imported_before_a_run_and_the_project_is_not(
    project: Path,
) -> None:
    (project / "tests/conftest.py").write_text(
        "import sys\nfrom pathlib import Path\n"
        "found = [name in sys.modules for name in ('sqlite3', 'shop')]\n"
        "Path('found.txt').write_text(str(found))\n"
    )
    (project / "shop/price.py").write_text("import sqlite3\nPRICE = 1\n")
    with looping(project) as shop:
        shop.verdict()
        cold = shop.wait_for("found.txt")
        time.sleep(1)
        shop.terminal.type("\r")
        shop.verdict()

        assert cold == "[False, False]"
        assert shop.wait_for("found.txt") == "[True, False]"


def test_a_plugin_of_the_project_is_loaded_anew_when_it_is_saved(
    project: Path,
) -> None:
    text = "def pytest_report_header():\n    return 'edition {}'\n"
    (project / "plugin.py").write_text(text.format("one"))
    settings = project / "pyproject.toml"
    settings.write_text(settings.read_text().replace('"-q"', '"-pplugin"'))
    with looping(project) as shop:
        shop.terminal.until("edition one")
        shop.verdict()
        shop.save("plugin.py", text.format("two"))

        shop.terminal.until("edition two")


def test_arguments_are_those_of_pytest(project: Path) -> None:
    with looping(project, "--now", "--clear", "-k", "price") as shop:
        assert "1 passed, 1 deselected" in shop.terminal.until(r"green")


def test_paths_narrow_the_loop(project: Path) -> None:
    with looping(project, "tests/test_stock.py") as shop:
        assert "1 passed" in shop.terminal.until(r"green")
        shop.save("shop/price.py", "PRICE = 2\n")
        assert shop.verdict() == ("green", "all quick tests")


def test_a_library_that_is_installed_starts_the_loop_anew(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # An environment of its own: what is installed into it concerns no other loop.
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/*/site-packages")
    shared = (sysconfig.get_path("purelib"), Path(trunkline.__file__).parents[1])
    (packages / "shared.pth").write_text("".join(f"{place}\n" for place in shared))
    with looping(project, python=folder / "bin" / "python") as shop:
        shop.verdict()
        (packages / "installed.py").touch()

        assert shop.verdict() == ("green", "all quick tests")
