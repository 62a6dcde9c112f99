from hypothesis import given
from hypothesis import strategies as st

from trunkline.notes.prompts import allot, cut

SIZES = st.lists(st.integers(0, 1000), max_size=12)


@given(SIZES, st.integers(0, 5000))
def test_shares_keep_to_the_limit_and_waste_nothing(
    sizes: list[int], limit: int
) -> None:
    shares = allot(sizes, limit)
    assert all(share <= size for share, size in zip(shares, sizes, strict=True))
    assert sum(shares) <= limit
    if sum(sizes) <= limit:
        assert shares == sizes
    elif sizes:
        assert sum(shares) > limit - len(sizes)


def test_a_large_text_does_not_push_out_a_small_one() -> None:
    assert allot([10_000, 5, 100], 205) == [100, 5, 100]


@given(st.text("ab\n", max_size=60), st.integers(0, 60))
def test_a_cut_text_keeps_whole_lines_and_says_so(text: str, limit: int) -> None:
    kept = cut(text, limit, more="see x")
    if len(text) <= limit:
        assert kept == text
        return
    head, _, note = kept.rpartition("[cut: ")
    assert text.startswith(head)
    assert head == "" or head.endswith("\n")
    assert len(head) <= limit
    assert note.endswith("see x]\n")
