import ast
import json
import re
import tomllib

import pytest
import yaml  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from machinery.names import taken_names
from manifest import PACKAGE
from samples import REPOSITORY
from trunkline.errors import Refusal
from trunkline.template.names import (
    is_title,
    require_package,
    require_title,
    spellings,
    suggest,
    title_of,
)

TAKEN = taken_names(REPOSITORY)
WORDS = ["Acme", "acme api", "1a", "class", "match", "json", "tests", "fastapi", "yaml"]
WORDS += [
    "con",
    "nul",
    "aux",
    "lpt1",
    "",
    "-x",
    "a__b",
    "é",
    "_",
    "a_",
    "x" * 31,
    "copier",
    "acme-api",
    "a\n",
    "git",
    "cz",
    "on",
]


@pytest.mark.parametrize("name", WORDS)
def test_a_name_that_will_not_do_is_refused_with_one_that_will(name: str) -> None:
    with pytest.raises(Refusal, match="--package ") as refused:
        require_package(name, PACKAGE, TAKEN)
    require_package(refused.value.fix.split()[-1], PACKAGE, TAKEN)


@pytest.mark.parametrize("name", ["a", "acme_api", "x" * 30, "a1_b2", "zzz", "my_app"])
def test_a_usable_name_is_taken_as_it_is(name: str) -> None:
    require_package(name, PACKAGE, TAKEN)
    require_title(title_of(name))


@given(st.text())
def test_whatever_is_typed_the_suggestion_is_usable(typed: str) -> None:
    require_package(suggest(typed, TAKEN), PACKAGE, TAKEN)


@pytest.mark.parametrize(
    "title", ["", " ", "x" * 41, "A ", " A", "a\n", "a\x00b", "\u200b"]
)
def test_a_title_that_is_no_line_of_text_is_refused(title: str) -> None:
    with pytest.raises(Refusal, match="rule `title`"):
        require_title(title)


PRINTABLE = st.characters(exclude_categories=["C", "Z"]) | st.just(" ")
TITLES = st.text(PRINTABLE, min_size=1, max_size=40).filter(is_title)


@given(TITLES)
def test_a_title_is_right_in_python_toml_yaml_and_json(title: str) -> None:
    quoted = f'"{spellings("a", title)["title"]}"'
    assert ast.literal_eval(quoted) == title
    assert tomllib.loads(f"title = {quoted}")["title"] == title
    assert yaml.safe_load(f"title: {quoted}")["title"] == title
    assert json.loads(quoted) == title


@given(TITLES)
def test_a_title_is_plain_text_in_markdown(title: str) -> None:
    escaped = spellings("a", title)["markdown"]
    assert re.sub(r"\\([\\`*_\[\]<>&#|~])", r"\1", escaped) == title
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>&#|~]", escaped)


def test_the_name_is_spelled_in_six_ways() -> None:
    assert spellings("acme_api2", "Acme_API") == {
        "package": "acme_api2",
        "slug": "acme-api2",
        "constant": "ACME_API2",
        "pascal": "AcmeApi2",
        "title": "Acme_API",
        "markdown": r"Acme\_API",
    }


@given(st.from_regex(r"\A(my_app|[a-z][a-z0-9]*)(_(my_app|[a-z0-9]+))*\Z"))
def test_no_name_is_renamed_twice(package: str) -> None:
    """A new name may hold the old one: the order of renaming must not matter."""
    names = spellings(package, "My App")
    del names["markdown"]
    text = "my_app my-app MY_APP MyApp My App"
    for old, new in zip(text.split(" ", 4), names.values(), strict=True):
        text = text.replace(old, new)
    assert text == " ".join(names.values())
    assert re.fullmatch(r"[a-z0-9_]+ [a-z0-9-]+ [A-Z0-9_]+ [A-Za-z0-9]+ My App", text)
