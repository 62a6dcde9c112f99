import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.images.layers import (
    EPOCH,
    compress,
    compressed_before,
    with_constant_times,
)

NOW = 1_795_000_000
names = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1
)


def layer(times: Mapping[str, float], *, content: bytes = b"x" * 700) -> io.BytesIO:
    """Write a layer as the engine does: a folder, files, a link."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, mtime in times.items():
            member = tarfile.TarInfo(name)
            member.mtime, member.size = mtime, len(content)
            tar.addfile(member, io.BytesIO(content))
    buffer.seek(0)
    return buffer


def rewritten(source: io.BytesIO) -> bytes:
    return b"".join(with_constant_times(source))


def times(content: bytes) -> dict[str, float]:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return {member.name: member.mtime for member in tar}


younger = st.integers(EPOCH + 1, 8**11 - 1)


@given(st.dictionaries(names, st.tuples(younger, younger), max_size=4), st.binary())
def test_two_builds_at_different_times_give_one_layer(
    files: dict[str, tuple[int, int]], content: bytes
) -> None:
    first, second = (
        layer({name: both[build] for name, both in files.items()}, content=content)
        for build in (0, 1)
    )
    assert rewritten(first) == rewritten(second)


def test_only_times_change_and_only_those_of_younger_files() -> None:
    found = layer({"old": EPOCH - 5, "new": NOW, "é" * 200: NOW})
    result = rewritten(found)
    assert times(result) == {"old": EPOCH - 5, "new": EPOCH, "é" * 200: EPOCH}
    with tarfile.open(fileobj=io.BytesIO(result)) as tar:
        file = tar.extractfile("new")
        assert file is not None
        assert file.read() == b"x" * 700


def test_a_time_with_a_fraction_is_set_back_too() -> None:
    assert times(rewritten(layer({"new": NOW + 0.25}))) == {"new": EPOCH}


def test_a_layer_that_ends_early_is_no_layer() -> None:
    half = io.BytesIO(layer({"new": NOW}).getvalue()[:600])
    with pytest.raises(EOFError, match="ends within a file"):
        rewritten(half)


@given(st.lists(st.binary()))
def test_what_is_compressed_is_gzip_of_the_same_content(parts: list[bytes]) -> None:
    target = io.BytesIO()
    compress(parts, target)
    assert gzip.decompress(target.getvalue()) == b"".join(parts)


def test_gzip_says_nothing_of_the_machine() -> None:
    target = io.BytesIO()
    compress([b"x"], target)
    assert target.getvalue()[:10] == b"\x1f\x8b\x08" + bytes(6) + b"\xff"


def test_a_base_is_compressed_once_on_a_machine(tmp_path: Path) -> None:
    base = tmp_path / "base.tar"
    base.write_bytes(b"x" * 10_000)
    found = []
    for _ in range(2):
        with base.open("rb") as file:
            path = compressed_before(file, tmp_path / "cache")
            found.append((path, path.stat().st_ino))
    assert found[0] == found[1]
    assert gzip.decompress(found[0][0].read_bytes()) == b"x" * 10_000
