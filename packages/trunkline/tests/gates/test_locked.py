from hypothesis import given
from hypothesis import strategies as st

from trunkline.gates.locked import locked_packages, unindexed

INDEX = {"registry": "https://pypi.org/simple"}
LOCKED = locked_packages(
    [
        {"name": "colorama", "version": "0.4.6", "source": INDEX},
        {
            "name": "numpy",
            "version": "1.0",
            "source": INDEX,
            "resolution-markers": ["python_full_version < '3.13'"],
        },
        {
            "name": "numpy",
            "version": "2.0",
            "source": INDEX,
            "resolution-markers": ["python_full_version >= '3.13'", "os_name == 'x'"],
        },
        {"name": "money", "version": "1.0", "source": {"url": "https://example.com"}},
        {"name": "my-app", "source": {"virtual": "."}},
    ]
)


def test_every_locked_package_of_an_index_is_audited_in_each_of_its_versions() -> None:
    assert LOCKED.requirements.splitlines() == [
        "colorama==0.4.6",
        "numpy==1.0 ; (python_full_version < '3.13')",
        "numpy==2.0 ; (python_full_version >= '3.13') or (os_name == 'x')",
    ]
    assert LOCKED.pinned == {"colorama", "numpy"}


def test_a_package_in_one_version_is_audited_whatever_its_marker_says() -> None:
    package = {"name": "x", "version": "1.0", "source": INDEX}
    locked = locked_packages([package | {"resolution-markers": ["os_name == 'x'"]}])
    assert locked.requirements == "x==1.0\n"


def test_what_comes_from_no_index_is_listed_apart() -> None:
    assert LOCKED.unindexed == {"money": "https://example.com"}


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
