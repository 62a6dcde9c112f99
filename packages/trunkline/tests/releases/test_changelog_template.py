from samples import Sample


def test_every_breaking_change_is_marked(released: Sample) -> None:
    released.commit("fix: a bug")
    released.commit("chore!: drop Python 3.11")
    released.commit("feat(api)!: new api")
    out = released.cz("bump", "--dry-run", "--yes").out
    assert "- **BREAKING** **api**: new api" in out
    # Without a heading of its own it would stand among the fixes.
    assert "### Other\n\n- **BREAKING** drop Python 3.11" in out
