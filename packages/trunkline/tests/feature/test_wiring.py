"""How core/app.py looks before and after."""

import pytest

from trunkline.errors import Refusal
from trunkline.feature import wiring

IMPORT = "from . import billing\nfrom .platform import feature\n"
NONE = "from .platform import feature\n"
MANY = """\
FEATURES: tuple[Feature, ...] = (
    database.feature,
    billing.feature,
)
"""


def squeezed(text: str) -> str:
    """Return code without what a formatter decides."""
    return "".join(text.split()).replace(",)", ")")


@pytest.mark.parametrize(
    ("imports", "features", "wanted"),
    [
        (IMPORT, MANY, "(database.feature, billing.feature, customers.feature)"),
        (
            IMPORT,
            "FEATURES = (billing.feature,)\n",
            "(billing.feature, customers.feature)",
        ),
        (NONE, "FEATURES: tuple[Feature, ...] = ()\n", "(customers.feature)"),
        (NONE, "FEATURES = (\n    # All.\n)\n", "(# All. customers.feature)"),
        (
            f"from . import (\n    billing,\n    teams,\n)\n{NONE}",
            "FEATURES = (billing.feature, teams.feature)\n",
            "(billing.feature, teams.feature, customers.feature)",
        ),
    ],
)
def test_a_feature_is_wired_and_taken_out_again(
    imports: str, features: str, wanted: str
) -> None:
    text = imports + features
    wired = wiring.add(text, "customers")

    assert wiring.is_wired(wired, "customers")
    assert squeezed(wanted) in squeezed(wired)
    assert "customers" in wired.split("FEATURES")[0]
    assert wiring.add(wired, "customers") == wired
    before = squeezed(text).replace("(billing,teams)", "billing,teams")
    assert squeezed(wiring.remove(wired, "customers")) == before


def test_comments_stay_where_they_are() -> None:
    text = IMPORT + MANY.replace("billing.feature,", "billing.feature,  # money, first")
    wired = wiring.add(text, "customers")

    assert "billing.feature,  # money, first\n" in wired
    assert wiring.is_wired(wired, "customers")


def test_a_name_that_is_part_of_another_is_not_it() -> None:
    text = IMPORT + MANY.replace("billing.feature", "my_billing.feature")
    assert not wiring.is_wired(text, "billing")
    assert wiring.remove(text, "bill").endswith(text.partition("FEATURES")[2])


def test_without_the_tuple_the_line_to_write_is_named() -> None:
    with pytest.raises(Refusal, match=r"FEATURES: tuple\[Feature, \.\.\.\] = "):
        wiring.add(IMPORT + "FEATURES = [billing.feature]\n", "customers")
