"""Fit many texts into a limit, and cut one where it has to end. Pure."""

from collections.abc import Sequence


def allot(sizes: Sequence[int], limit: int) -> list[int]:
    """Divide `limit`: small texts fit completely, large ones get equal shares.

    No share is larger than its size, and together they are at most `limit`.
    """
    shares = [0] * len(sizes)
    left = limit
    order = sorted(range(len(sizes)), key=lambda place: sizes[place])
    for done, place in enumerate(order):
        shares[place] = min(sizes[place], left // (len(order) - done))
        left -= shares[place]
    return shares


def cut(text: str, limit: int, *, more: str) -> str:
    """Keep whole lines up to `limit` characters and say how many are missing."""
    if len(text) <= limit:
        return text
    kept = text[: text.rfind("\n", 0, limit) + 1]
    shown, total = kept.count("\n"), text.count("\n")
    return f"{kept}[cut: {total - shown} of {total} lines left out; {more}]\n"
