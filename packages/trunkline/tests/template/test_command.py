"""What `trunkline template` says about a command line that makes no sense."""

import pytest

from samples import Sample


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("new",), "`template new`: expected a folder"),
        (("update", "there"), "`template update` takes no FOLDER"),
        (("update", "--package", "a"), "`template update` takes no --package"),
        (("new", "there", "--diff"), "`template new` takes no --diff"),
        (("new", "there"), "expected --from with the address of the template"),
        (("adopt",), "expected --from with the address of the template"),
        (("remove",), "invalid choice: 'remove'"),
    ],
)
def test_a_wrong_command_line_is_told_what_was_expected(
    sample: Sample, words: tuple[str, ...], said: str
) -> None:
    before = sample.picture()
    ran = sample.trunkline("template", *words)
    assert ran.code == 2
    assert said in ran.err
    assert sample.picture() == before


def test_outside_of_a_repository_there_is_nothing_to_update(sample: Sample) -> None:
    (sample.root / ".git").rename(sample.root.parent / "elsewhere")
    ran = sample.trunkline("template", "update")
    assert ran.code == 2
    assert "is not in a git repository" in ran.err
