"""The tests that mirror a file are found by the names of files and folders."""

import pytest

from trunkline.loop.mirrors import mirrors

TESTS = (
    "tests/test_main.py",
    "tests/test_login.py",
    "tests/core/billing/test_endpoints.py",
    "tests/core/billing/test_pricing.py",
    "tests/core/orders/test_endpoints.py",
    "tests/core/orders/price_test.py",
)
BILLING = ["tests/core/billing/test_endpoints.py", "tests/core/billing/test_pricing.py"]


@pytest.mark.parametrize(
    ("saved", "expected"),
    [
        ("src/app/main.py", ["tests/test_main.py"]),
        ("src/app/core/billing/pricing.py", ["tests/core/billing/test_pricing.py"]),
        ("src/app/core/orders/endpoints.py", ["tests/core/orders/test_endpoints.py"]),
        ("src/app/core/orders/price.py", ["tests/core/orders/price_test.py"]),
        ("src/app/core/login/__init__.py", ["tests/test_login.py"]),
        ("tests/core/billing/test_pricing.py", ["tests/core/billing/test_pricing.py"]),
        # Without tests of their own: all of their folder.
        ("src/app/core/billing/tables.py", BILLING),
        ("src/app/core/billing/__init__.py", BILLING),
        ("tests/core/billing/conftest.py", BILLING),
        ("tests/core/billing/test_deleted.py", BILLING),
        # Nothing has that name, or it is no module.
        ("src/app/other/thing.py", []),
        ("src/app/core/billing/pricing.sql", []),
    ],
)
def test_a_file_is_mirrored_by(saved: str, expected: list[str]) -> None:
    assert mirrors([saved], TESTS) == expected


def test_several_files_are_mirrored_by_the_tests_of_each() -> None:
    saved = ["src/app/main.py", "src/app/core/billing/pricing.py"]
    expected = ["tests/core/billing/test_pricing.py", "tests/test_main.py"]

    assert mirrors(saved, TESTS) == expected
