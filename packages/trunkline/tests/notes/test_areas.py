import pytest

from trunkline.notes.bundle import area_of


@pytest.mark.parametrize(
    ("path", "area"),
    [
        ("README.md", "(root)"),
        ("src/my_app/core/billing/pricing.py", "src/my_app/core/billing"),
        ("src/my_app/core/app.py", "src/my_app"),
        ("src/my_app/main.py", "src/my_app"),
        ("src/loose.py", "src"),
        ("tests/core/billing/test_pricing.py", "tests/core/billing"),
        ("tests/test_main.py", "tests"),
        ("packages/trunkline/src/trunkline/cli.py", "packages/trunkline"),
        (".github/workflows/ci.yml", ".github"),
    ],
)
def test_a_feature_is_an_area_of_its_own(path: str, area: str) -> None:
    assert area_of(path) == area
