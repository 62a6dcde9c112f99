"""`desk.toml`: which services a desk can have."""

import re
from pathlib import Path

import pytest
from trunkline.errors import UsageError

from trunkline_desk.services import RESERVED, read_desk, usable
from visitors import Web

TAKEN = ["api", "stream", "static", "sign-in"]


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


@pytest.mark.parametrize("name", ["look", "history", "put", "back", "requests", "api"])
def test_an_environment_may_be_called_like_a_part_of_a_path(
    tmp_path: Path, name: str
) -> None:
    url = 'url = "http://127.0.0.1:8300"'
    web = Web(tmp_path, more=f"[tool.trunkline.environments.{name}]\n{url}\n")
    web.look(place=f"shop/{name}", ref="main", commit="c" * 40, well=True)
    ana = web.visitor("ana")
    assert ana.act("reserve", name).status_code == 303
    assert [one.place for one in web.rows("reservation")] == [f"shop/{name}"]
    assert f"Take {name} back" in ana.client.get(f"/shop/{name}/back").text
    assert ana.client.get(f"/api/shop/{name}").json()["environment"] == name


def test_one_clone_under_two_names_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    file = tmp_path / "desk.toml"
    file.write_text(f'[services]\nshop = "{tmp_path}"\ncafe = "{tmp_path}/link"\n')
    with pytest.raises(UsageError, match="cafe is the clone of shop") as error:
        read_desk(file)
    assert "type next: remove cafe from [services]" in str(error.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('hook = "x"', "hook: Extra inputs are not permitted"),
        ('proxies = "10.0.0.2"', "proxies: Input should be a valid list"),
        ('[[hooks]]\nurl = "x"\nkind = "teams"', "hooks: Input should be 'generic'"),
    ],
)
def test_a_setting_that_cannot_be_is_named(
    tmp_path: Path, line: str, said: str
) -> None:
    file = tmp_path / "desk.toml"
    file.write_text(f"{line}\n[services]\n", "utf-8")
    with pytest.raises(UsageError, match=re.escape(said)):
        read_desk(file)


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
