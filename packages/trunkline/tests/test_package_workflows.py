"""What workflows do for micropackages."""

import re

import pytest

from trunkline.workspace.testing import BASE
from workflow_files import workflow


def holds(condition: str, names: dict[str, str]) -> bool:
    """Evaluate the condition of a job, by names in place of its contexts."""
    text = condition.removeprefix("${{").removesuffix("}}").replace("\n", " ")
    for name, value in names.items():
        text = text.replace(name, repr(value))
    text = re.sub(r"needs\.[\w.-]+", "''", text)  # Of a skipped job.
    text = text.replace("&&", " and ").replace("||", " or ")
    text = re.sub(r"!(?!=)", " not ", text)
    known = {"contains": lambda text, part: part in text, "cancelled": bool}
    return bool(eval(text.strip(), known))  # noqa: S307 - our own file


@pytest.mark.parametrize(
    ("names", "image", "page"),
    [
        (
            {"github.ref_name": "v1.2.0", "needs.check-tag.result": "success"},
            True,
            True,
        ),
        ({"github.ref_name": "v1.2.0-alpha.1"}, False, False),
        ({"github.ref_name": "rules-v0.1.0"}, False, True),
        (
            {"github.ref_name": "rules-v0.1.0", "needs.check.result": "failure"},
            False,
            False,
        ),
        ({"needs.bump.outputs.tag": "v1.2.0"}, True, True),
        ({"needs.bump.outputs.member": "rules-v0.1.0"}, False, True),
        ({"needs.bump.result": "failure"}, False, False),
    ],
)
def test_a_version_of_the_service_gets_an_image_and_a_page_a_member_s_only_that(
    names: dict[str, str], image: bool, page: bool
) -> None:
    jobs = workflow("release")["jobs"]
    pushed = "github.ref_name" in names
    given = {
        "github.event_name": "push" if pushed else "workflow_dispatch",
        "github.ref_name": "hotfix/a-v1",
        "needs.check.result": "success",
        **names,
    }
    assert holds(jobs["docker"]["if"], given) is image
    built = {"needs.docker.result": "success" if image else "skipped"}
    assert holds(jobs["release"]["if"], given | built) is page
    # No tag of a service goes unchecked, and no other is taken for one.
    service = pushed and names["github.ref_name"].startswith("v")
    assert holds(jobs["check-tag"]["if"], given) is service


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("pull-request", "${{ github.event.merge_group.base_sha || 'HEAD^' }}"),
        ("branch", "${{ github.event.before }}"),
        ("release", None),
    ],
)
def test_the_gates_know_which_micropackages_changed(
    name: str, base: str | None
) -> None:
    """Packages that did not change are left out; before a release none is."""
    checkout, _, gates = workflow(name)["jobs"]["check"]["steps"]
    assert gates["env"].get(BASE) == base
    assert checkout["with"].get("fetch-depth") == ("2" if base else None)
