"""From one release of the template to the next, with a team's edits in between.

What the template and the team do is in `updates.py`.
"""

import pytest

from generated import by_tool, tree
from samples import Sample
from updates import DELETED, DELETED_BY_TEAM, FRESH, NEW, OLD, acme, check_work, team

pytestmark = pytest.mark.slow


def test_the_tool_loses_nothing(releases: Sample) -> None:
    service = by_tool(releases, "acme", "--version", "v0.1.0")
    service.env = releases.env
    team(service)

    ran = service.trunkline("template", "update")

    assert ran.code == 1, ran.all
    check_work(service)
    assert service.read(NEW.format("acme")).endswith("# Ours.\n")
    assert not (service.root / OLD.format("acme")).exists()
    assert service.read(DELETED).endswith("# Ours.\n")
    assert ran.out.splitlines() == [
        "  conflict  CONTRIBUTING.md",
        f"  kept      {DELETED}: dropped by the template but changed by you",
        f"  deleted   {DELETED_BY_TEAM}: changed by the template but deleted by you",
        "template v0.2.0: 1 conflict",
    ]
    assert service.run("uv", "lock", "--check", "-q").code == 0
    assert service.git("for-each-ref", "refs/template") == ""


def test_an_update_is_shown_before_it_is_made(releases: Sample) -> None:
    service = acme(releases)
    team(service)
    before = service.picture()

    ran = service.trunkline("template", "update", "--diff")

    assert ran.code == 1
    assert "+# Of the template." in ran.out
    assert f"rename to {NEW.format('acme')}" in ran.out
    assert "  conflict  CONTRIBUTING.md\n" in ran.out
    assert "nothing was changed" in ran.out
    assert service.picture() == before


def test_an_untouched_service_becomes_what_the_new_version_gives(
    releases: Sample,
) -> None:
    service = acme(releases)
    ran = service.trunkline("template", "update")
    assert ran.code == 0, ran.all
    updated = tree(service.root)
    fresh = tree(by_tool(releases, "fresh", "--package", "acme").root)
    # What is given once is the team's from then on.
    assert {path for path in fresh if fresh[path] != updated.get(path)} == set()
    assert updated.keys() == fresh.keys()


def test_a_second_update_has_nothing_to_do(releases: Sample) -> None:
    service = acme(releases, "v0.2.0")
    ran = service.trunkline("template", "update")
    assert (ran.code, ran.out) == (
        0,
        "up to date: this service is at v0.2.0 of the template\n",
    )


def test_without_a_network_the_stored_template_updates(releases: Sample) -> None:
    service = acme(releases)
    releases.origin.rename(releases.origin.with_name("gone.git"))
    ran = service.trunkline("template", "update")
    # The lock is not: uv has not seen the tool of that version yet.
    assert ran.code == 1
    assert "the files are up to date, uv.lock is not" in ran.err
    assert "type next: uv lock && git add uv.lock" in ran.err
    assert "continuing with what was fetched before" in ran.err
    assert (service.root / NEW.format("acme")).exists()


def test_a_part_can_be_left_out_later(releases: Sample) -> None:
    service = acme(releases)
    ran = service.trunkline("template", "update", "--without", "billing")
    assert ran.code == 0, ran.all
    service.git("add", "--all")
    service.commit("build: go on without billing")
    names = ("--package", "acme", "--without", "billing")
    fresh, updated = tree(by_tool(releases, "fresh", *names).root), tree(service.root)
    assert updated == fresh


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("changed", "refused by rule `clean`"),
        ("in the way", "fresh.py, an untracked file where the template"),
        ("ignored in the way", "fresh.py, an untracked file where the template"),
        ("a folder in the way", "fresh.py/ours.txt, an untracked file"),
        ("no answers", "there is no .copier-answers.yml here"),
        ("unknown version", "no version 'v9.9.9'"),
        ("unknown part", "there is no part 'nothing'"),
    ],
)
def test_what_cannot_be_updated_is_left_alone(
    releases: Sample, what: str, said: str
) -> None:
    service = acme(releases)
    options = []
    if what == "changed":
        service.write("README.md", "# Ours\n")
    elif what == "in the way":
        service.write(FRESH, "ours\n")
    elif what == "ignored in the way":
        service.commit("chore: ignore", {".gitignore": "fresh.py\n"})
        service.write(FRESH, "ours\n")
    elif what == "a folder in the way":
        service.commit("chore: ignore", {".gitignore": "fresh.py\n"})
        service.write(f"{FRESH}/ours.txt", "ours\n")
    elif what == "no answers":
        service.git("rm", "-q", ".copier-answers.yml")
        service.commit("chore: forget")
    else:
        versions = what == "unknown version"
        options = ["--version", "v9.9.9"] if versions else ["--without", "nothing"]
    before = service.picture()

    ran = service.trunkline("template", "update", *options)

    assert ran.code in (1, 2)
    assert said in ran.err
    assert "type next: " in ran.err or "expected one of" in ran.err
    assert service.picture() == before
    assert not (service.root / ".git/trunkline/update.json").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<<<<<<< HEAD\n", "line 1: found '<<<<<<< HEAD'"),
        (b'package: "acme\n', "line 1: found 'package: \"acme'"),
        (b"package: acme\ntitle: A\n", "does not say _commit, _src_path"),
        (b'package: ""\n', "says package: '', title: "),
        (b'title: "\xff"\n', "is not UTF-8 text"),
        (b"_commit: v0.0.9\n", "found:     no 'v0.0.9', which .copier-answers.yml"),
    ],
)
def test_answers_that_were_spoilt_are_named_and_left_alone(
    releases: Sample, content: bytes, said: str
) -> None:
    service = acme(releases)
    file = service.root / ".copier-answers.yml"
    # A key that is there twice has the last value.
    whole = file.read_bytes() if said.startswith(("says", "found:", "is not")) else b""
    file.write_bytes(whole + content)
    service.git("add", "--all")
    service.commit("chore: spoil the answers")
    before = service.picture()

    ran = service.trunkline("template", "update")

    assert ran.code == 1
    assert said in ran.err
    assert "type next: git log -p -- .copier-answers.yml" in ran.err
    assert service.picture() == before


@pytest.mark.parametrize("text", ["<<<<<<< HEAD\n", "[]", '{"format": 2}'])
def test_a_version_with_a_broken_manifest_is_refused(
    releases: Sample, text: str
) -> None:
    service = acme(releases)
    releases.commit("feat: break it", {".template/manifest.json": text})
    releases.push()
    ran = service.trunkline("template", "update", "--version", "main")
    assert ran.code == 1
    assert ".template/manifest.json cannot be read" in ran.err


def test_a_manifest_of_a_later_format_is_refused_with_a_way_out(
    releases: Sample,
) -> None:
    service = acme(releases)
    text = releases.read(".template/manifest.json").replace(
        '"format": 2', '"format": 3'
    )
    releases.commit("feat: another format", {".template/manifest.json": text})
    releases.push()
    ran = service.trunkline("template", "update", "--version", "main")
    assert ran.code == 1
    assert "uvx --from" in ran.err
