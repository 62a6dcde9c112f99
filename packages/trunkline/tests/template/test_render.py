from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.errors import FailedError
from trunkline.template.answers import Answers
from trunkline.template.manifest import (
    LockChanges,
    OptionalPart,
    TemplateFile,
    TemplateManifest,
    TextEdit,
    parse_manifest,
)
from trunkline.template.render import BLOCK, render

RENAME = (("my_app", "package"), ("my-app", "slug"), ("My App", "title"))
ENTRIES = (
    TemplateFile("src/my_app/a.py", "src/my_app/a.py"),
    TemplateFile("src/my_app/bill.py", "src/my_app/bill.py", parts=("billing",)),
    TemplateFile(".template/overlay/NEWS", "NEWS"),
    TemplateFile("run", "run", executable=True),
)
MANIFEST = TemplateManifest(
    rename=RENAME,
    package_pattern="",
    always_out=("template",),
    parts=(OptionalPart("billing", "keep_billing"),),
    taken=frozenset(),
    answers_header="# Written.\n",
    entries=ENTRIES,
    locks={},
)
ANSWERS = Answers("acme_api", "Acme API", "gh:acme/template", "v1.0.0")
CONTENTS = {
    "src/my_app/a.py": b'"""My App."""\nimport my_app  # my-app\n',
    "src/my_app/bill.py": b"",
    ".template/overlay/NEWS": b"none\n",
    "run": b"#!/bin/sh\n",
}


def rendered(
    text: str, *edits: TextEdit, kept: bool = True, versioned: bool = False
) -> str:
    """Render one file with these edits."""
    entry = TemplateFile("a", "a", edits=edits, versioned=versioned)
    manifest = replace(MANIFEST, entries=(entry,))
    answers = replace(ANSWERS, kept={"keep_billing": kept})
    return render(manifest, answers, {"a": text.encode()})["a"].content.decode()


def test_files_get_the_service_s_names_and_places() -> None:
    files = render(MANIFEST, ANSWERS, CONTENTS)
    code = files["src/acme_api/a.py"].content
    assert code == b'"""Acme API."""\nimport acme_api  # acme-api\n'
    assert files["NEWS"].content == b"none\n"
    assert [path for path, file in files.items() if file.executable] == ["run"]


def test_a_part_that_was_never_asked_for_is_there() -> None:
    assert "src/acme_api/bill.py" in render(MANIFEST, ANSWERS, CONTENTS)


def test_a_part_that_is_left_out_takes_its_files_along() -> None:
    answers = replace(ANSWERS, kept={"keep_billing": False})
    files = render(MANIFEST, answers, CONTENTS)
    assert "src/acme_api/bill.py" not in files
    assert b"keep_billing: false\n" in files[".copier-answers.yml"].content


def test_text_of_a_part_goes_only_with_the_part() -> None:
    edit = TextEdit(("billing",), (), "from x", "end\n", "")
    assert rendered("a\nfrom x to the end\nb\n", edit, kept=False) == "a\nb\n"
    assert rendered("a\nfrom x to the end\nb\n", edit) == "a\nfrom x to the end\nb\n"


def test_an_edit_may_depend_on_two_parts() -> None:
    edit = TextEdit(("template", "billing"), (), "x", "", "y")
    assert rendered("x\n", edit) == "x\n"
    assert rendered("x\n", edit, kept=False) == "y\n"


def test_an_edit_may_be_for_where_another_part_is_kept() -> None:
    edit = TextEdit(("template",), ("billing",), "x", "", "y")
    assert rendered("x\n", edit) == "y\n"
    assert rendered("x\n", edit, kept=False) == "x\n"


@pytest.mark.parametrize("text", ["none here", "x end x end", "x without it"])
def test_an_edit_without_exactly_one_place_is_refused(text: str) -> None:
    with pytest.raises(FailedError, match="expected one"):
        rendered(text, TextEdit(("template",), (), "x", "end", ""))


def test_the_template_s_version_becomes_0_0_0() -> None:
    text = '[project]\nname = "my-app"\nversion = "1.2.3"\n\n[x]\nversion = "2"\n'
    wanted = text.replace("1.2.3", "0.0.0").replace("my-app", "acme-api")
    assert rendered(text, versioned=True) == wanted


def block(name: str) -> str:
    return f'{BLOCK}name = "{name}"\nversion = "1.0.0"\n'


@given(st.sets(st.from_regex(r"\A[a-z][a-z0-9]*(-[a-z0-9]+)*\Z"), min_size=3))
def test_the_lock_file_is_sorted_whatever_the_service_is_called(
    names: set[str],
) -> None:
    own, gone, *others = sorted(names - {"trunkline", "my-app"} | {"x", "y"}, key=hash)
    lock = LockChanges(
        frozenset({"my-app", gone}), block("my-app").removeprefix(BLOCK), {}
    )
    head = "version = 1\n"
    old = f'{head}\n[manifest]\nmembers = [\n    "my-app",\n    "trunkline",\n]\n'
    old += "".join(map(block, sorted([*others, gone, "my-app"])))
    manifest = replace(
        MANIFEST, entries=(TemplateFile("l", "l", lock=True),), locks={"template": lock}
    )
    answers = replace(ANSWERS, package=own.replace("-", "_"))
    new = render(manifest, answers, {"l": old.encode()})["l"].content.decode()
    assert new == head + "".join(map(block, sorted([*others, own])))


def test_a_manifest_of_another_format_is_refused_with_a_way_out() -> None:
    with pytest.raises(FailedError, match=r"format 3; expected 2.*\n.*\n.*uvx"):
        parse_manifest(b'{"format": 3}')
