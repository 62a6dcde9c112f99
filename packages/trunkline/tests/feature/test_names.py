"""Which names a feature may have, and what is said of those that it may not."""

import pytest

from trunkline.errors import Refusal
from trunkline.feature.names import noun, plural, require
from trunkline.feature.templates import own_names

TAKEN = dict.fromkeys(own_names(), "a name in the feature's own files")
TAKEN |= {"billing": "src/my_app/core/billing", "invoices": "a table of billing"}


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("customers", "customer"),
        ("sales_orders", "sales_order"),
        ("categories", "category"),
        ("movies", "movie"),
        ("addresses", "address"),
        ("boxes", "box"),
        ("branches", "branch"),
        ("coaches", "coach"),
        ("caches", "cache"),
        ("statuses", "status"),
        ("warehouses", "warehouse"),
        ("prices", "price"),
        ("keys", "key"),
    ],
)
def test_a_plural_has_a_singular_and_back(many: str, one: str) -> None:
    assert noun(many).singular == one
    assert plural(one) == plural(many) == many


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("people", "person"),
        ("sales_women", "sales_woman"),
        ("children", "child"),
        ("bookshelves", "bookshelf"),
        ("knives", "knife"),
        ("olives", "olive"),
        ("analyses", "analysis"),
        ("purchases", "purchase"),
        ("aliases", "alias"),
        ("indices", "index"),
        ("devices", "device"),
        ("heroes", "hero"),
        ("shoes", "shoe"),
        ("quizzes", "quiz"),
    ],
)
def test_a_plural_may_be_irregular(many: str, one: str) -> None:
    assert noun(many).singular == one
    require(many, TAKEN, counted=True)


def test_an_order_and_a_customer_have_their_articles() -> None:
    assert noun("orders").spellings()["a_title"] == "an order"
    assert noun("customers").spellings()["a_title"] == "a customer"
    assert noun("users").spellings()["a_title"] == "a user"


@pytest.mark.parametrize("name", ["customers", "sales_orders", "a" * 29 + "s"])
def test_a_plural_noun_will_do(name: str) -> None:
    require(name, TAKEN, counted=True)


@pytest.mark.parametrize(
    ("name", "expected", "better"),
    [
        ("Sales-Orders", "lower-case words", "sales_orders"),
        ("salesOrders", "lower-case words", "sales_orders"),
        ("2fast", "lower-case words", "fasts"),
        ("größen", "lower-case words", "gr_ens"),
        ("a" * 40 + "s", "2 to 30", "a" * 22 + "s"),
        ("../etc", "lower-case words", "etcs"),
        ("", "lower-case words", "things"),
        ("customer", "a plural", "customers"),
        ("category", "a plural", "categories"),
        ("series", "a plural", "series_records"),
        ("sensor_data", "a plural", "sensor_data_records"),
        ("classes", "`class` is a keyword", "my_classes"),
        ("invoices", "a table of billing", "my_invoices"),
        ("billing", "src/my_app/core/billing", "my_billings"),
        ("sessions", "the feature's own files", "my_sessions"),
        ("responses", "the feature's own files", "my_responses"),
    ],
)
def test_another_is_refused_with_one_that_will_do(
    name: str, expected: str, better: str
) -> None:
    with pytest.raises(Refusal) as refused:
        require(name, TAKEN, counted=True)
    assert expected in refused.value.expected
    assert refused.value.fix == f"uv run trunkline feature {better}"
    require(better, TAKEN, counted=True)


def test_what_stores_nothing_needs_no_plural() -> None:
    require("search", TAKEN, counted=False)
    with pytest.raises(
        Refusal, match="uv run trunkline feature my_greetings --without-table"
    ):
        require("greeting", TAKEN | {"Greeting": "taken"}, counted=False)
