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


def test_alembic_says_where_migrations_are_and_what_runs_them_is_the_project() -> None:
    alembic = {"script_location": "%(here)s/src/my_app/migrations"}
    document = {"project": {"name": "my-app"}, "tool": {"alembic": alembic}}
    found = parse_settings(document)
    assert found.migrations == "src/my_app/migrations/versions"
    assert found.prepare == "my-app migrate"

    own = {"migrations": "steps", "prepare": "make tables"}
    found = parse_settings(document | {"tool": {"alembic": alembic, "trunkline": own}})
    assert (found.migrations, found.prepare) == ("steps", "make tables")
