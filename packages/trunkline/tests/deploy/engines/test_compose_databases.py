"""The three ways out of migrations that a candidate does not know, with images."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.engines.hosts import DOCKERFILE, Host
from registries import Server

pytestmark = pytest.mark.slow
# The kind of an image names its migrations.
MIGRATE = """\
#!/usr/local/bin/python
import json, os, sqlite3, sys
has = os.environ["KIND"].split("+")
file = os.environ["APP_DATABASE_URL"].removeprefix("sqlite:///")
database = sqlite3.connect(file, isolation_level=None)
database.execute("CREATE TABLE IF NOT EXISTS done (id)")
done = [row[0] for row in database.execute("SELECT id FROM done ORDER BY rowid")]
pending = [one for one in has if one not in done]
unknown = [one for one in done if one not in has]
if sys.argv[1:] == ["migrate"]:
    database.executemany("INSERT INTO done VALUES (?)", [[one] for one in pending])
elif sys.argv[1:3] == ["migrate", "--down"]:
    for one in done[-int(sys.argv[3]):]:
        database.execute("DELETE FROM done WHERE id = ?", [one])
else:
    state = {(0, 0): "same", (1, 0): "behind", (0, 1): "ahead", (1, 1): "unknown"}
    print(json.dumps({
        "state": state[bool(pending), bool(unknown)], "current": done[-1:],
        "pending": [{"id": one, "subject": "Add it"} for one in pending],
        "unknown": unknown,
    }))
"""


@pytest.fixture
def tiers(tmp_path: Path, engine: None, registry_server: Server) -> Iterator[Host]:
    """Serve a branch whose migration no other branch has, from a volume."""
    made = Host(tmp_path, registry_server)
    (made.build / "shop").write_text(MIGRATE)
    (made.build / "data").mkdir()
    text = DOCKERFILE.replace(
        "ARG NAME", "COPY --chown=10001:10001 data /data/\nARG NAME"
    )
    (made.build / "Dockerfile").write_text(text)
    file = "docker/staging.compose.yaml"
    text = made.clone.read(file).replace(
        "tmpfs: [", 'volumes: ["data:/data"]\n    tmpfs: ['
    )
    made.clone.write(file, text.replace("volumes: { ", "volumes: { data: {}, "))
    variables = "POSTGRES_PASSWORD=hush\nAPP_DATABASE_URL=sqlite:////data/shop.db\n"
    made.clone.write("staging.env", variables)
    made.publish("main", "one")
    made.publish("feat-tiers", "one+tiers")
    made.publish("feat-other", "one+other")
    made.deployed("feat/tiers")
    yield made
    made.end()


def test_each_way_out_of_unknown_migrations_leads_to_the_branch(tiers: Host) -> None:
    with tiers.load() as seen:
        ran = tiers.deploy("feat/other")
        assert (ran.code, "migrations that feat/other lacks: tiers" in ran.err) == (
            *(1, True),
        ), ran.all
        assert tiers.get()["kind"] == "one+tiers"
        for way in ("--own-database", "--new-database", "--downgrade"):
            words = ("deploy", "feat/other", "--to", "staging", way, "--yes")
            ran = tiers.trunkline(*words)
            assert ran.code == 0, ran.all
            assert tiers.get()["kind"] == "one+other"
            # Taking back returns to the database of then, except by a downgrade.
            if way != "--downgrade":
                ran = tiers.trunkline("rollback", "staging")
                assert ran.code == 0, ran.all
                assert tiers.get()["kind"] == "one+tiers"
    assert seen.lost == []
