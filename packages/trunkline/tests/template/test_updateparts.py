"""What an update adds, leaves deleted, moves to another address, or refuses."""

import pytest

from generated import by_tool, run_tool
from samples import Sample

pytestmark = pytest.mark.slow

ANSWERS = ".copier-answers.yml"


@pytest.fixture
def smallest(upstream: Sample) -> Sample:
    """A service without the database, whose uv may use the network."""
    service = by_tool(upstream, "acme", "--without", "persistence")
    service.env |= {"UV_OFFLINE": "0", "XDG_CACHE_HOME": str(upstream.root.parent)}
    return service


def test_a_part_is_added_later_with_its_locked_packages(smallest: Sample) -> None:
    ran = smallest.trunkline("template", "update", "--with", "persistence")
    assert ran.code == 0, ran.all
    assert (smallest.root / "src/acme/migrations/env.py").exists()
    assert 'name = "sqlalchemy"' in smallest.read("uv.lock")
    assert smallest.run("uv", "lock", "--check", "-q").code == 0
    assert "keep_persistence: true" in smallest.read(ANSWERS)


def test_an_answer_that_was_edited_by_hand_is_carried_out(smallest: Sample) -> None:
    text = smallest.read(ANSWERS).replace("persistence: false", "persistence: true")
    smallest.commit("chore: want a database", {ANSWERS: text})
    ran = smallest.trunkline("template", "update")
    assert ran.code == 0, ran.all
    assert (smallest.root / "src/acme/migrations/env.py").exists()
    assert smallest.run("uv", "lock", "--check", "-q").code == 0
    smallest.commit("build: bring the database")
    assert "up to date" in smallest.trunkline("template", "update").out


def test_a_deleted_feature_stays_deleted(upstream: Sample, smallest: Sample) -> None:
    smallest.git("rm", "-rq", "src/acme/core/billing", "tests/core/billing")
    smallest.commit("feat: remove billing")
    new = "src/my_app/core/billing/discounts.py"
    upstream.write(new, '"""Discounts."""\n')
    ran = upstream.run("python", ".template/manifest.py", UV_OFFLINE="0")
    assert ran.code == 0, ran.all
    upstream.git("add", "--all")
    upstream.commit("feat: discounts")
    upstream.push()

    ran = smallest.trunkline("template", "update", "--version", "main")

    said = "  deleted   src/acme/core/billing/discounts.py: "
    assert (ran.code, said in ran.out) == (0, True), ran.all
    assert not (smallest.root / "src/acme/core/billing").exists()


def test_the_template_may_move_to_another_address(smallest: Sample) -> None:
    moved = smallest.origin.rename(smallest.origin.with_name("moved.git"))
    ran = smallest.trunkline("template", "update", "--from", str(moved))
    assert ran.code == 0, ran.all
    assert f'git = "{moved.as_uri()}", tag = "v0.1.0"' in smallest.read(
        "pyproject.toml"
    )
    assert moved.as_uri() in smallest.read(ANSWERS)
    assert smallest.run("uv", "lock", "--check", "-q").code == 0


def test_a_relative_address_is_refused_with_the_way_out(smallest: Sample) -> None:
    text = smallest.read(ANSWERS).replace(smallest.origin.as_uri(), "T2")
    smallest.commit("chore: as copier wrote it once", {ANSWERS: text})
    ran = smallest.trunkline("template", "update")
    assert ran.code == 1
    assert "the relative address 'T2'" in ran.err
    assert "trunkline template update --from ADDRESS" in ran.err


def test_an_unreachable_address_is_not_needed_after_the_first_sync(
    smallest: Sample,
) -> None:
    smallest.origin.rename(smallest.origin.with_name("gone.git"))
    cache = str(smallest.root.parent / "empty")
    ran = smallest.run("uv", "lock", "--check", "--offline", UV_CACHE_DIR=cache)
    assert ran.code == 0, ran.all


def test_a_service_inside_another_repository_is_refused(smallest: Sample) -> None:
    inside = Sample(smallest.root / "x", smallest.origin, smallest.env)
    ran = run_tool(inside, "service")
    assert ran.code == 1
    assert f"is inside the repository {smallest.root}" in ran.err
    assert not (smallest.root / "service").exists()


def test_what_a_killed_update_leaves_is_removed(smallest: Sample) -> None:
    smallest.git("update-ref", "refs/template/base", "HEAD")
    assert smallest.trunkline("template", "update").code == 0
    assert smallest.git("for-each-ref", "refs/template") == ""
