from samples import Sample


def test_a_bump_is_one_commit_with_an_annotated_tag(sample: Sample) -> None:
    sample.commit("feat: log in")
    ran = sample.cz("bump", "--yes")
    assert ran.code == 0, ran.all
    assert sample.version == "0.1.0"
    assert sample.git("cat-file", "-t", "v0.1.0") == "tag"
    files = sample.git("show", "--name-only", "--format=", "HEAD").splitlines()
    assert files == ["CHANGELOG.md", "pyproject.toml", "uv.lock"]
    assert sample.run("uv", "lock", "--check", "--offline").code == 0


def test_a_refusal_leaves_no_trace(released: Sample) -> None:
    released.commit("feat: log out")
    released.write("notes.txt", "mine")
    before = released.picture()
    ran = released.cz("bump", "--yes")
    assert ran.code != 0
    assert "notes.txt" in ran.err
    assert released.picture() == before
