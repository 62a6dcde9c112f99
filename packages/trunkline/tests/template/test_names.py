import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machinery.names import taken_names
from manifest import PACKAGE, TITLE
from samples import REPOSITORY
from trunkline.errors import Refusal
from trunkline.template.names import (
    require_package,
    require_title,
    spellings,
    suggest,
    title_of,
)

TAKEN = taken_names(REPOSITORY)
WORDS = ["Acme", "acme api", "1a", "class", "match", "json", "tests", "fastapi", "yaml"]
WORDS += ["", "-x", "a__b", "é", "_", "a_", "x" * 31, "copier", "acme-api", "a\n"]


@pytest.mark.parametrize("name", WORDS)
def test_a_name_that_will_not_do_is_refused_with_one_that_will(name: str) -> None:
    with pytest.raises(Refusal, match="--package ") as refused:
        require_package(name, PACKAGE, TAKEN)
    require_package(refused.value.fix.split()[-1], PACKAGE, TAKEN)


@pytest.mark.parametrize("name", ["a", "acme_api", "x" * 30, "a1_b2", "zzz", "my_app"])
def test_a_usable_name_is_taken_as_it_is(name: str) -> None:
    require_package(name, PACKAGE, TAKEN)
    require_title(title_of(name), TITLE)


@given(st.text())
def test_whatever_is_typed_the_suggestion_is_usable(typed: str) -> None:
    require_package(suggest(typed, TAKEN), PACKAGE, TAKEN)


@pytest.mark.parametrize(
    "title", ["", " ", 'A "B"', "a\\b", "x" * 41, "A ", "ü", "a\n"]
)
def test_a_title_that_would_break_code_is_refused(title: str) -> None:
    with pytest.raises(Refusal, match="rule `title`"):
        require_title(title, TITLE)


def test_the_name_is_spelt_in_five_ways() -> None:
    assert spellings("acme_api2", "Acme API") == {
        "package": "acme_api2",
        "slug": "acme-api2",
        "constant": "ACME_API2",
        "pascal": "AcmeApi2",
        "title": "Acme API",
    }


@given(st.from_regex(r"\A(my_app|[a-z][a-z0-9]*)(_(my_app|[a-z0-9]+))*\Z"))
def test_no_name_is_renamed_twice(package: str) -> None:
    """A new name may hold the old one: the order of renaming must not matter."""
    names = spellings(package, "My App")
    text = "my_app my-app MY_APP MyApp My App"
    for old, new in zip(text.split(" ", 4), names.values(), strict=True):
        text = text.replace(old, new)
    assert text == " ".join(names.values())
    assert re.fullmatch(r"[a-z0-9_]+ [a-z0-9-]+ [A-Z0-9_]+ [A-Za-z0-9]+ My App", text)
