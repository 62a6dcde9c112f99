"""What workflows do for micropackages."""

import pytest

from trunkline.workspace.testing import BASE
from workflow_files import workflow


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("pull-request", "${{ github.event.merge_group.base_sha || 'HEAD^' }}"),
        ("branch", "${{ github.event.before }}"),
        ("release", None),
    ],
)
def test_the_gates_know_what_a_change_is_compared_with(
    name: str, base: str | None
) -> None:
    """Packages that did not change are left out; before a release none is."""
    checkout, _, gates = workflow(name)["jobs"]["check"]["steps"]
    assert gates["env"].get(BASE) == base
    assert checkout["with"].get("fetch-depth") == ("2" if base else None)
