"""One running operation for each environment."""

import fcntl
import os
import threading
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from trunkline.deploy.lock import holder, only_deploy
from trunkline.errors import Refusal

DOING = "ana is changing staging since noon: deploy feat/login"


def test_a_second_caller_is_refused_with_who_does_what(tmp_path: Path) -> None:
    with only_deploy(tmp_path, DOING, wait=False):
        assert holder(tmp_path) == DOING
        with (
            pytest.raises(Refusal, match="deploy feat/login"),
            only_deploy(tmp_path, "kim", wait=False),
        ):
            pass
    assert holder(tmp_path) == ""


def test_whoever_waits_is_told_for_whom(tmp_path: Path) -> None:
    order = []

    def wait() -> None:
        with only_deploy(tmp_path, "kim", wait=True):
            order.append("second")

    second = threading.Thread(target=wait)
    read, write = os.pipe()
    with open(read) as said, open(write, "w", buffering=1) as told:
        with redirect_stderr(told), only_deploy(tmp_path, DOING, wait=False):
            second.start()
            line = said.readline()
            order.append("first")
        second.join()
    assert ("waiting" in line, DOING in line) == (True, True), line
    assert order == ["first", "second"]


def test_whoever_looks_is_taken_for_no_deployer_and_stops_none(tmp_path: Path) -> None:
    with only_deploy(tmp_path, DOING, wait=False):
        pass
    with (tmp_path / "deploy.lock").open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        assert holder(tmp_path) == ""
        end = threading.Timer(0.1, fcntl.flock, (looking, fcntl.LOCK_UN))
        end.start()
        with only_deploy(tmp_path, "kim", wait=False):
            assert holder(tmp_path) == "kim"
        end.join()
