import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trunkline.workspace.members import WORKSPACE
from trunkline.workspace.sources import with_source

PUBLISHED = {"git": "https://git.example.com/a.git", "tag": "rules-v1.0.0"}
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9]", fullmatch=True)
COMMENTS = st.sampled_from(["", " # why", "  # two  spaces", "\t#tab"])


def edit(text: str, source: dict[str, str] | None, name: str = "rules") -> str:
    return with_source(
        text, name=name, folder=f"packages/{name}", source=source or WORKSPACE
    )


@settings(max_examples=50, deadline=None)
@given(
    others=st.lists(NAMES.filter(lambda name: name != "rules"), unique=True),
    excluded=st.lists(NAMES, unique=True),
    comment=COMMENTS,
)
def test_prod_mode_and_back_changes_no_byte(
    others: list[str], excluded: list[str], comment: str
) -> None:
    lines = [f"{name} = {{ path = '{name}' }}{comment}" for name in others]
    exclude = "".join(f'  "x/{name}",{comment}\n' for name in excluded)
    text = (
        f"# head\n[tool.uv.workspace]{comment}\nmembers = ['packages/*']{comment}\n"
        + (f"exclude = [\n{exclude}]\n" if excluded else "")
        + "\n[tool.uv.sources]\n"
        + "\n".join([*lines, f"rules = {{ workspace = true }}{comment}"])
        + "\n\n[tool.other] # end\nkey=1\n"
    )
    published = edit(text, PUBLISHED)
    uv = tomllib.loads(published)["tool"]["uv"]
    assert uv["sources"]["rules"] == PUBLISHED
    assert uv["workspace"]["exclude"][-1] == "packages/rules"
    assert edit(published, PUBLISHED) == published
    assert edit(published, None) == text


def test_a_name_is_found_however_it_is_spelt() -> None:
    text = (
        "[tool.uv]\nworkspace.members = ['packages/*']\n"
        "sources.Pricing_Rules = { workspace = true }\n"
    )
    uv = tomllib.loads(edit(text, PUBLISHED, "pricing-rules"))["tool"]["uv"]
    assert uv["sources"] == {"Pricing_Rules": PUBLISHED}


@pytest.mark.parametrize("address", ['https://x/"q".git', "https://x/a\\b.git"])
def test_an_address_cannot_break_out_of_its_string(address: str) -> None:
    text = "[tool.uv.workspace]\nmembers = ['packages/*']\n"
    uv = tomllib.loads(edit(text, {"git": address, "tag": "v1"}))["tool"]["uv"]
    assert uv["sources"]["rules"]["git"] == address


def test_line_ends_of_windows_are_kept() -> None:
    text = (
        "[tool.uv.workspace]\r\nmembers = ['packages/*']\r\n"
        "[tool.uv.sources]\r\nrules = { workspace = true }\r\n"
    )
    published = edit(text, PUBLISHED)
    assert published.count("\n") == published.count("\r\n") == 5
    assert edit(published, None) == text
