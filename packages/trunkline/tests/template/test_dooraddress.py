"""Both doors record the same address, and no password is ever stored or printed."""

import pytest

from generated import by_tool, tree
from samples import Sample

pytestmark = pytest.mark.slow

TYPED = [
    "https://ada:s3cret@git.acme.test/team/x.git",
    "git@git.acme.test:team/x.git",
    "git+ssh://git@git.acme.test/team/x",
    "gh:acme/x",
]
BASES = [
    "https://ada:s3cret@git.acme.test/team/x.git",
    "https://git.acme.test/team/x.git",
    "git@git.acme.test:team/x.git",
    "ssh://git@git.acme.test/team/x.git",
    "ssh://git@git.acme.test/team/x",
    "https://github.com/acme/x.git",
]


@pytest.fixture
def redirected(upstream: Sample) -> Sample:
    """The template at addresses that git reads from this machine."""
    folder = upstream.root.parent
    lines = [f'[url "{upstream.origin}"]\n']
    lines += [f"    insteadOf = {base}\n" for base in BASES]
    (folder / "gitconfig").write_text("".join(lines))
    upstream.env["GIT_CONFIG_GLOBAL"] = str(folder / "gitconfig")
    upstream.env["COPIER_CACHE_DIR"] = str(folder / "copier")
    return upstream


@pytest.mark.parametrize("typed", TYPED)
def test_both_doors_record_one_address(redirected: Sample, typed: str) -> None:
    ours = by_tool(redirected, "ours", "--package", "b", "--from", typed)
    theirs = redirected.root.parent / "theirs"
    ran = redirected.run(
        "copier", "copy", "--defaults", "--data=package=b", "--data=title=B",
        typed, str(theirs),
    )  # fmt: skip
    assert ran.code == 0, ran.all
    assert tree(ours.root) == tree(theirs)
    written = [file.read_bytes() for file in theirs.rglob("*") if file.is_file()]
    assert not any(b"s3cret" in content for content in written)
    assert "s3cret" not in ours.git("log", "--format=%B")


def test_a_relative_address_is_refused_by_copier_too(redirected: Sample) -> None:
    theirs = redirected.root.parent / "theirs"
    ran = redirected.run("copier", "copy", "--defaults", "../origin.git", str(theirs))
    assert ran.code != 0
    assert "means something else in every other folder" in ran.all
    assert not theirs.exists()
