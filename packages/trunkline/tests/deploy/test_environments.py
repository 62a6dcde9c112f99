"""`[tool.trunkline.environments.NAME]`."""

import pytest

from trunkline.deploy.environments import find_environment
from trunkline.errors import UsageError

URL = "http://127.0.0.1:8100"


def test_an_address_is_enough() -> None:
    found = find_environment({"staging": {"url": URL}}, "staging")
    assert (found.address, found.accepts, found.window) == ("127.0.0.1:8100", "any", 60)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "url is ''; expected one like http://127.0.0.1:8100"),
        ({"url": "https://staging.acme.com"}, "expected one like http://127"),
        ({"url": "http://127.0.0.1:port"}, "expected one like http://127"),
        (
            {"url": URL, "engine": "swarm"},
            "engine is 'swarm'; expected one of local, compose, kubernetes",
        ),
        ({"url": URL, "accepts": "tags"}, "expected any or releases"),
        ({"url": URL, "window": "60"}, "window is '60'; expected int"),
        ({"url": URL, "window": -1}, "expected 0 or more"),
        ({"url": URL, "variables": [1]}, "variables is [1]; expected names"),
        ({"url": URL, "deadline": 0}, "expected 1 or more"),
        (
            {"url": URL, "colour": "red"},
            "unknown key `colour`; expected one of accepts",
        ),
        ("http", "expected a table"),
    ],
)
def test_a_mistake_is_named_with_what_was_expected(table: object, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        find_environment({"staging": table}, "staging")
    assert said in str(refused.value)


def test_a_misspelt_environment_is_not_added_but_named() -> None:
    with pytest.raises(UsageError) as refused:
        find_environment({"staging": {"url": URL}}, "stagging")
    assert str(refused.value).endswith("the same command with staging")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://[::1]:8100", "[::1]:8100"),
        ("http://localhost:8100/", "localhost:8100"),
        (URL, "127.0.0.1:8100"),
    ],
)
def test_the_proxy_listens_at_the_address(url: str, address: str) -> None:
    assert find_environment({"staging": {"url": url}}, "staging").address == address


@pytest.mark.parametrize("name", ["../up", "Staging", "a" * 300, "a\n\x1b[31m", ""])
def test_a_name_that_is_no_folder_name_is_refused(name: str) -> None:
    for tables in ({}, {name: {"url": URL}}):
        with pytest.raises(UsageError, match="expected at most 31 of a-z") as refused:
            find_environment(tables, name)
    assert str(refused.value).isprintable()


def test_an_unknown_environment_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="expected one of: production, staging"):
        find_environment({"staging": {}, "production": {}}, "stagin")


def test_the_port_that_is_proposed_is_no_other_environments() -> None:
    tables = {"staging": {"url": URL}, "review": {"url": "http://localhost:8101"}}
    with pytest.raises(UsageError, match=r'url = "http://127\.0\.0\.1:8102"$'):
        find_environment(tables, "demo")


def test_the_address_of_a_shared_journal_is_in_a_variable() -> None:
    table = {"url": URL, "journal": "JOURNAL"}
    found = find_environment({"staging": table}, "staging")
    assert found.journal_address({"JOURNAL": "postgresql://h/d"}) == "postgresql://h/d"
    with pytest.raises(UsageError, match=r"\$JOURNAL is not set; .*\n.*export JOURNAL"):
        found.journal_address({})
