"""A web process without a runner, whose clock a test moves, and its visitors."""

import re
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import Row

from trunkline_desk import people, snapshots, tables
from trunkline_desk.app import create_app
from trunkline_desk.claims import Role
from trunkline_desk.services import Desk
from trunkline_desk.store import Store

ENVIRONMENTS = """\
[project]
name = "shop"
version = "1.0.0"
[tool.trunkline.environments.staging]
url = "http://127.0.0.1:8100"
[tool.trunkline.environments.production]
url = "http://127.0.0.1:8200"
accepts = "releases"
"""
type Form = dict[str, str]
URL = "http://desk.example"
START = 1_800_000_000.0


def candidate(ref: str, **more: object) -> dict[str, Any]:
    """Return a branch as the runner lists it."""
    commit = (ref.encode().hex() * 40)[:40]
    return {
        "ref": ref,
        "tag": ref.replace("/", "-"),
        "commit": commit,
        "at": START - 60,
        "author": "Ben",
        "subject": f"Try {ref}",
        "version": False,
        "compared": "",
        "commits_in": [],
        "commits_out": [],
        "migrations": [],
        "migrations_out": [],
        "new_flags": [],
        "lost_flags": [],
        "first": "",
    } | more


@cache
def _with_people() -> bytes:
    """Make a database once: hashing a password is slow, as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "desk.db"
        store = Store(f"sqlite:///{file}")
        with store.writing() as connection:
            people.add_account(connection, "vera", "v", Role.VIEWER)
            people.add_account(connection, "ana", "a", Role.DEPLOYER)
            people.add_account(connection, "ben", "b", Role.DEPLOYER)
            people.add_account(connection, "kim", "k", Role.RELEASER)
        store.close()  # The last one moves what was written into the file.
        return file.read_bytes()


class Web:
    """A desk whose staging serves `main`."""

    def __init__(self, folder: Path, *, more: str = "", **settings: Any) -> None:  # noqa: ANN401 - any key
        (folder / "pyproject.toml").write_text(ENVIRONMENTS + more)
        database = f"sqlite:///{folder / 'desk.db'}"
        (folder / "desk.db").write_bytes(_with_people())
        self.now = START
        self.store = Store(database)
        settings = {"url": URL, "database": database} | settings
        self.desk = Desk(services={"shop": str(folder)}, **settings)
        self.app = create_app(self.desk, self.store, now=lambda: self.now)
        self.list(candidate("main"), candidate("feat/seats"))
        main = candidate("main")
        told = {"by": "ana", "since": "2027-01-15T07:58:00Z", "flags": {}}
        self.look(ref="main", commit=main["commit"], well=True, **told)

    def list(self, *found: dict[str, Any]) -> None:
        """Let the runner find these branches."""
        counted = ("count_in", "commits_in"), ("count_out", "commits_out")
        found = tuple({n: len(one[of]) for n, of in counted} | one for one in found)
        with self.store.writing() as connection:
            for place in ("shop/staging", "shop/production"):
                snapshots.write(connection, place, "candidates", found, at=self.now)

    def look(
        self, problem: str = "", place: str = "shop/staging", **live: object
    ) -> None:
        """Let the runner see this on an environment."""
        with self.store.writing() as connection:
            snapshots.write(
                *(connection, place, "live", None if problem else live),
                at=self.now,
                problem=problem,
            )

    def rows(self, table: str) -> Sequence[Row[Any]]:
        """Return what is in a table."""
        with self.store.reading() as connection:
            return connection.execute(getattr(tables, table).select()).all()

    def visitor(
        self, name: str = "", *, address: str = "testclient", by: str = ""
    ) -> "Visitor":
        """Open a browser, signed in if it has a name; a proxy may say `by` whom."""
        client = TestClient(
            self.app, base_url=URL, follow_redirects=False, client=(address, 1)
        )
        client.headers.update({"X-Forwarded-For": by} if by else {})
        one = Visitor(client)
        if name:
            answer = one.sign_in(name, name[0])
            assert answer.status_code == 303, answer.text
        return one


class Visitor:
    """A browser."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def sign_in(self, name: str, password: str) -> Response:
        form = hidden(self.client.get("/sign-in").text, "form")
        body = {"name": name, "password": password, "form": form}
        return self.client.post("/sign-in", data=body)

    def page(self) -> str:
        answer = self.client.get("/shop")
        assert answer.status_code == 200, answer.text
        return answer.text

    def form(self, environment: str = "staging", ref: str = "feat/seats") -> Form:
        """Return what the form that puts a branch on would send."""
        text = self.client.get(f"/shop/{environment}/put?ref={ref}").text
        names = ("form", "key", "seen", "ref", "commit")
        return {"action": "put"} | {name: hidden(text, name) for name in names}

    def act(self, action: str, environment: str = "staging", **more: str) -> Response:
        body = self.form() | {"action": action} | more
        return self.client.post(f"/shop/{environment}", data=body)


def hidden(text: str, name: str) -> str:
    """Return the value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found, f"no field {name} in {text}"
    return found[1]
