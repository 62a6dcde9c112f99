import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.notes.areas import area_of, file_names


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


@given(st.lists(st.text(min_size=1, max_size=9), unique=True))
def test_every_area_has_a_legal_file_name_of_its_own(areas: list[str]) -> None:
    names = list(file_names(areas).values())
    assert len({name.casefold() for name in names}) == len(areas)
    assert all("/" not in name and not name.startswith(".") for name in names)
