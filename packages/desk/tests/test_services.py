"""`desk.toml`: which services a desk can have."""

import re
from pathlib import Path

import pytest
from trunkline.errors import UsageError

from trunkline_desk.services import RESERVED, read_desk, usable
from visitors import Web

TAKEN = ["api", "stream", "static", "weeks", "sign-in"]


@pytest.mark.parametrize("name", [*TAKEN, "Shop", "my shop", "a/b", "café", ""])
def test_a_name_that_cannot_be_an_address_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "desk.toml"
    file.write_text(f'[services]\n"{name}" = "{tmp_path}"\n', "utf-8")
    with pytest.raises(UsageError, match="name it") as error:
        read_desk(file)
    found = re.findall(r"name it (\S+) in \[services\]", str(error.value))
    # What it says to write can be read.
    file.write_text(f'[services]\n{found[0]} = "{tmp_path}"\n', "utf-8")
    assert read_desk(file).services == {found[0]: str(tmp_path)}


def test_each_path_of_the_desk_itself_is_reserved(tmp_path: Path) -> None:
    paths = Web(tmp_path).app.openapi()["paths"]
    first = {path.split("/")[1] for path in paths}
    assert {one for one in first if one and "{" not in one} <= RESERVED
    assert "static" in RESERVED


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("My Shop", "my-shop"),
        ("api", "api-service"),
        ("shop_2.0", "shop-2-0"),
        ("店", "service"),
        ("", "service"),
    ],
)
def test_a_folder_s_name_is_made_usable(folder: str, name: str) -> None:
    assert usable(folder) == name
