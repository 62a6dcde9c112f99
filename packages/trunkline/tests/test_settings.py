import pytest

from trunkline.errors import UsageError
from trunkline.settings import Settings, parse_settings


def test_everything_has_a_default() -> None:
    assert parse_settings({}) == Settings(trunk="main", remote="origin")


def test_the_image_is_named_after_the_project() -> None:
    assert parse_settings({"project": {"name": "my-app"}}).image == "my-app"


def test_an_unknown_key_is_named() -> None:
    with pytest.raises(UsageError, match=r"unknown key `trunc`; .*trunk"):
        parse_settings({"tool": {"trunkline": {"trunc": "main"}}})


def test_a_wrong_value_is_named() -> None:
    with pytest.raises(UsageError, match="timeout is 'long'; expected int"):
        parse_settings({"tool": {"trunkline": {"timeout": "long"}}})
