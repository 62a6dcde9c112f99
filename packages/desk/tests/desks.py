"""A desk with its two processes, over a clone of a small service."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import urllib3
from deploy.shops import Shop, end_all
from registries import free_port

from trunkline_desk import people, snapshots
from trunkline_desk.claims import Role
from trunkline_desk.store import Store

CONFIG = """\
url = "http://127.0.0.1:{port}"
database = "{database}"
{more}
[services]
shop = "{root}"
"""


class DeskProcesses:
    """The web process and the runner of one desk."""

    def __init__(self, folder: Path, shop: Shop, *, more: str = "") -> None:
        port = free_port()
        self.shop = shop
        self.url = f"http://127.0.0.1:{port}"
        self.file = folder / "desk.toml"
        database = f"sqlite:///{folder / 'desk.db'}"
        self.file.write_text(
            CONFIG.format(port=port, database=database, more=more, root=shop.root)
        )
        self.store = Store(database)
        with self.store.writing() as connection:
            people.add_account(connection, "ana", "ana's password", Role.DEPLOYER)
            people.add_account(connection, "ben", "ben's password", Role.DEPLOYER)
            people.add_account(connection, "kim", "kim's password", Role.RELEASER)
            self.tokens = {
                name: people.add_token(connection, name, role)
                for name, role in (
                    ("see", Role.VIEWER),
                    ("put", Role.DEPLOYER),
                    ("other", Role.DEPLOYER),
                    ("release", Role.RELEASER),
                )
            }
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, what: str, name: str = "") -> None:
        """Start `serve` or `runner`, by another name if there are two, in a group."""
        argv = [
            sys.executable,
            "-m",
            "trunkline_desk",
            "--config",
            str(self.file),
            what,
        ]
        if what == "serve":
            argv += ["--port", self.url.rpartition(":")[2]]
        self.running[name or what] = subprocess.Popen(argv, process_group=0)

    def kill(self, what: str) -> None:
        """Kill a process as a crash would."""
        one = self.running.pop(what)
        os.killpg(one.pid, signal.SIGKILL)
        one.wait()

    def ask(
        self, path: str, body: dict[str, Any] | None = None, *, by: str = "put"
    ) -> urllib3.BaseHTTPResponse:
        """Ask the JSON API with the token of a script."""
        return urllib3.request(
            "GET" if body is None else "POST",
            f"{self.url}/api/shop/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.tokens[by]}"},
            retries=False,
            timeout=20,
        )

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("staging", by="see").json()
        return found

    def until[A](self, look: Callable[[], A], *, seconds: float = 60) -> A:
        """Wait until something is true, and return it; fails with the last state."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(urllib3.exceptions.HTTPError, KeyError):
                if found := look():
                    return found
            time.sleep(0.1)
        raise AssertionError(json.dumps(self.status(), indent=1))

    def serves(self, ref: str) -> dict[str, Any]:
        """Wait until the page says that a branch serves and nothing runs any more."""

        def look() -> dict[str, Any] | None:
            found = self.status()
            done = found["ref"] == ref and not found["running"]
            return found if done and found["health"] == "serving" else None

        return self.until(look)

    def calm(self) -> None:
        """Let `main` serve, and nobody have reserved anything."""
        self.until(lambda: not self.status()["running"])
        self.ask("staging", {"action": "take over", "why": "the next test"})
        if self.status()["ref"] != "main":
            self.ask("staging", {"action": "put", "ref": "main"})
            self.serves("main")
        self.ask("staging", {"action": "done with it"})


@contextmanager
def running_desk(folder: Path, *, more: str = "") -> Iterator[DeskProcesses]:
    """Run a desk over a new clone, which has the branch `feat/seats`."""
    (folder / "shop").mkdir()
    shop = Shop(folder / "shop")
    shop.write("staging.env", "GREETING=hello\nENABLE_SEATS=false\n")
    shop.branch("feat/seats")
    shop.git("checkout", "--quiet", "main")
    try:
        with started(DeskProcesses(folder, shop, more=more)) as desk:
            desk.until(lambda: desk.status()["health"] in {"nothing", "serving"})
            desk.until(lambda: b"feat/seats" in listed(desk))
            yield desk
    finally:
        end_all(shop.folder)


@contextmanager
def started(desk: DeskProcesses) -> Iterator[DeskProcesses]:
    """Run both processes of a desk."""
    try:
        desk.start("serve")
        desk.start("runner")
        yield desk
    finally:
        for one in desk.running.values():
            one.terminate()
            one.wait()
        desk.store.close()


def listed(desk: DeskProcesses) -> bytes:
    """Return what the runner found that can be put on."""
    with desk.store.reading() as connection:
        found = snapshots.read(connection, "shop/staging", snapshots.CANDIDATES)
    return repr(found.document).encode()
