from hypothesis import given
from hypothesis import strategies as st

from trunkline.gates.locked import pins, unindexed

EXPORTED = r"""# made by uv
anyio==4.16.0 ; python_full_version >= "3.8" \
    --hash=sha256:aa \
    --hash=sha256:bb
    # via my-app
colorama==0.4.6 ; sys_platform == 'win32' \
    --hash=sha256:cc
numpy==1.0 ; python_version < '3.13' \
    --hash=sha256:dd
numpy==2.0 ; python_version >= '3.13' \
    --hash=sha256:ee
money @ git+https://git.example.com/money.git@0123
    # via my-app
-e ../beside
"""


def test_packages_locked_for_another_platform_are_audited_too() -> None:
    requirements, names = pins(EXPORTED)
    assert "colorama==0.4.6 \\\n" in requirements
    assert "anyio==4.16.0 \\\n    --hash=sha256:aa \\\n" in requirements
    assert "numpy==1.0 ; python_version" in requirements
    assert names == {"anyio", "colorama", "numpy"}


def test_what_comes_from_no_index_is_left_out() -> None:
    requirements, _ = pins(EXPORTED)
    assert "@" not in requirements
    assert "beside" not in requirements


def source(**kind: str) -> dict[str, str]:
    """Return where the lock file's package `x` comes from, if from no index."""
    return unindexed([{"name": "x", "source": kind}])


def test_a_source_is_shown_with_its_tag_or_its_commit() -> None:
    url = "https://git.example.com/x.git"
    commit = "61bd5f691cb20591e8eeeaf153d0820c4db1af7b"
    tagged = f"{url}?subdirectory=packages%2Fx&tag=v1.0.0#{commit}"
    assert source(git=tagged) == {"x": f"git+{url}@v1.0.0"}
    assert source(git=f"{url}#{commit}") == {"x": f"git+{url}@61bd5f691cb2"}


def test_a_folder_counts_only_outside_the_repository() -> None:
    assert source(editable="packages/x") == source(virtual=".") == {}
    assert source(directory="../x") == {"x": "../x"}
    assert source(editable="/srv/x") == {"x": "/srv/x"}


@given(st.text(alphabet="abc:%20", min_size=1))
def test_credentials_in_an_address_are_never_shown(credentials: str) -> None:
    found = source(url=f"https://{credentials}@files.example.com/x-1.0.tar.gz")
    assert found == {"x": "https://files.example.com/x-1.0.tar.gz"}
