from pathlib import Path

import pytest

from trunkline.workspace.publication import address


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("https://github.com/a/b.git", "https://github.com/a/b.git"),
        ("https://user:secret@host/b.git", "https://host/b.git"),
        ("https://token@host:8443/b.git", "https://host:8443/b.git"),
        ("ssh://git@host/a/b.git", "ssh://git@host/a/b.git"),
        ("git@github.com:a/b.git", "ssh://git@github.com/a/b.git"),
        ("github.com:a/b.git", "ssh://github.com/a/b.git"),
        ("../origin.git", "file:///home/origin.git"),
        ("/srv/a.git", "file:///srv/a.git"),
    ],
)
def test_an_address_is_written_for_every_clone_and_without_a_password(
    raw: str, expected: str
) -> None:
    assert address(raw, Path("/home/work")) == expected
