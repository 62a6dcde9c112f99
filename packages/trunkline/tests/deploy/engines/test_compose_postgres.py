"""The project's own image on PostgreSQL: what a deploy does to a real database."""

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.engines.hosts import Host
from registries import Server
from samples import REPOSITORY, identify
from services import docker, loaded_images

pytestmark = pytest.mark.slow
# The service under the name of the host's project, with one migration more or none.
DOCKERFILE = """\
FROM {image}
ARG NAME
COPY --chmod=755 shop /app/.venv/bin/$NAME
COPY versions /app/.venv/lib/python3.12/site-packages/my_app/migrations/versions/
"""
SHOP = '#!/bin/sh\nexec my-app "$@"\n'
# One that migrates whatever it finds.
OLD = """\
#!/app/.venv/bin/python
import sys
from my_app.__main__ import main
from my_app.core.platform.db.revisions import Revisions
if sys.argv[1:] == ["migrate"]:
    Revisions.state_of = lambda *_: "behind"
main()
"""
MIGRATION = """\
'''Add {name}.'''
from alembic import op
revision = "{name}"
down_revision = "{head}"
def upgrade():
    op.execute("CREATE TABLE {name} (id integer)")
def downgrade():
    op.execute("DROP TABLE {name}")
"""


@pytest.fixture(scope="module")
def image(engine: None) -> Iterator[str]:
    name = f"trunkline-test-{secrets.token_hex(4)}"
    bases = [f"--build-arg={key}={it}" for key, it in loaded_images().items()]
    output = f"--output=type=image,name={name},compression=uncompressed"
    command = ("buildx", "--builder=default", "build", "--provenance=false", output)
    docker(*command, *bases, str(REPOSITORY))
    yield name
    docker("image", "rm", "--force", name)


@pytest.fixture
def host(
    tmp_path: Path, engine: None, registry_server: Server, image: str
) -> Iterator[Host]:
    """Offer an old `main`, and two branches with a migration each of their own."""
    made = Host(tmp_path, registry_server)
    made.patient()
    (made.build / "Dockerfile").write_text(DOCKERFILE.format(image=image))
    (made.build / "server.py").unlink()
    (made.build / "versions").mkdir()
    newest = max((REPOSITORY / "src/my_app/migrations/versions").glob("*.py"))
    (head,) = re.findall('^revision = "(.+)"', newest.read_text(), re.MULTILINE)
    for name in ("", "tiers", "other"):
        (made.build / "shop").write_text(SHOP if name else OLD)
        if name:
            text = MIGRATION.format(name=name, head=head)
            (made.build / "versions/branch.py").write_text(text)
        made.build_image()
        made.publish(f"feat-{name}" if name else "main")
    yield made
    made.end()


def tables(host: Host, database: str) -> set[str]:
    """Name what the migrations of branches made."""
    made = "SELECT tablename FROM pg_tables WHERE tablename IN ('tiers', 'other')"
    return query(host, made, database)


def databases(host: Host) -> set[str]:
    named = query(host, "SELECT datname FROM pg_database WHERE NOT datistemplate")
    return named - {"postgres", "my_app"}


def query(host: Host, statement: str, database: str = "my_app") -> set[str]:
    psql = ("psql", "--username=my_app", "--tuples-only", "--no-align")
    container = f"{host.name}-staging-database-1"
    said = docker("exec", container, *psql, f"--command={statement}", database)
    return {*said.split()}


def test_the_database_is_migrated_once_and_its_state_said(host: Host) -> None:
    first = host.deploy("main")
    assert (first.code, "will migrate: " in first.err) == (0, True), first.all
    plan = host.trunkline("deploy", "main", "--to", "staging", "--dry-run")
    said = "the database is up to date; nothing to migrate"
    assert (plan.code, said in plan.out) == (0, True), plan.all
    ran = host.deploy("feat/tiers")
    said = "will migrate: tiers Add tiers"
    assert (ran.code, said in ran.err) == (0, True), ran.all
    assert tables(host, "my_app") == {"tiers"}
    # It has all migrations of `main`, whose own `migrate` would fail.
    plan = host.trunkline("rollback", "staging", "--dry-run", "--json")
    assert "migrate" not in json.loads(plan.out)["steps"], plan.all
    ran = host.trunkline("rollback", "staging")
    said = "the database is ahead; nothing to migrate\nstart\n"
    assert (ran.code, said in ran.err) == (0, True), ran.all
    (live,) = {"blue", "green"}.intersection(host.containers())
    container = f"{host.name}-staging-{live}"
    ran = host.clone.run("docker", "exec", container, host.name, "migrate")
    assert (ran.code, "Can't locate revision" in ran.err) == (1, True), ran.all


def test_a_branch_with_other_migrations_gets_a_database_until_it_is_gone(
    host: Host,
) -> None:
    host.deployed("feat/tiers")
    identify(host.clone, "ana")
    host.clone.commit("chore: begin")
    host.clone.git("branch", "feat/other")
    ran = host.deploy("feat/other")
    assert (ran.code, "migrations that feat/other lacks: tiers" in ran.err) == (
        *(1, True),
    ), ran.all
    ran = host.trunkline("deploy", "feat/other", "--to", "staging", "--own-database")
    assert ran.code == 0, ran.all
    (own,) = databases(host)
    assert (tables(host, own), tables(host, "my_app")) == ({"other"}, {"tiers"})
    host.clone.git("branch", "--delete", "--force", "feat/other")
    host.deployed("feat/tiers")
    assert databases(host) == set()


def test_what_serves_takes_its_migrations_back(host: Host) -> None:
    host.deployed("feat/tiers")
    words = ("deploy", "feat/other", "--to", "staging", "--downgrade", "--yes")
    ran = host.trunkline(*words)
    assert (ran.code, tables(host, "my_app")) == (0, {"other"}), ran.all
