from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archives import COMMIT, SOURCE
from trunkline.gates.flags import Flag
from trunkline.images.labels import (
    build_arguments,
    flags_label,
    home_branch,
    labels,
    public_url,
)


def test_every_label_of_the_design_is_there() -> None:
    assert labels(SOURCE) == {
        "org.opencontainers.image.revision": COMMIT,
        "org.opencontainers.image.created": "2026-01-02T03:04:05Z",
        "org.opencontainers.image.source": "https://example.com/acme/my-app",
        "org.opencontainers.image.version": "1.2.0",
        "org.opencontainers.image.title": "my-app",
        "dev.trunkline.branch": "main",
        "dev.trunkline.subject": "feat: serve",
        "dev.trunkline.author": "Dev",
        "dev.trunkline.flags": "{}",
        "dev.trunkline.migrations": "[]",
    }


def test_the_dockerfile_is_told_the_same() -> None:
    assert set(build_arguments(SOURCE).values()) <= set(labels(SOURCE).values())


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/acme/my-app.git",
        "https://github.com/acme/my-app/",
        "https://robot:secret@github.com/acme/my-app.git",
        "git@github.com:acme/my-app.git",
        "ssh://git@github.com:22/acme/my-app.git",
        "ssh://git@github.com/acme/my-app",
    ],
)
def test_a_repository_has_one_address_however_it_was_cloned(remote: str) -> None:
    assert public_url(remote) == "https://github.com/acme/my-app"


@pytest.mark.parametrize("remote", ["../origin.git", "/srv/git/my-app.git", ""])
def test_a_folder_of_this_machine_is_not_named(remote: str) -> None:
    assert public_url(remote) == ""


def test_a_flag_is_described_and_its_value_here_is_not() -> None:
    flag = Flag(
        name="ENABLE_X",
        default=False,
        value=True,
        problem=None,
        source="environment",
        description="New x",
        owner="billing",
        expires=date(2027, 6, 30),
    )
    assert flags_label([flag]) == (
        '{"ENABLE_X": {"default": false, "description": "New x", '
        '"expires": "2027-06-30", "owner": "billing"}}'
    )


branches = st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["c1", "c2"]))


@given(branches, st.booleans())
def test_a_branch_and_a_tag_of_one_commit_name_the_same_branch(
    heads: dict[str, str], on_trunk: bool
) -> None:
    if not on_trunk and "c1" not in heads.values():
        heads = {**heads, "hotfix/v1.0.1": "c1"}
    names = {
        home_branch("c1", trunk="main", on_trunk=on_trunk, heads=heads, other=other)
        for other in ("a", "hotfix/v1.0.1")
    }
    assert len(names) == 1


def test_what_is_on_the_trunk_belongs_to_the_trunk() -> None:
    heads = {"feat/x": "c1", "main": "c2"}
    found = home_branch("c1", trunk="main", on_trunk=True, heads=heads, other="feat/x")
    assert found == "main"
