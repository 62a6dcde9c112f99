"""Questions to a person."""

import io

import pytest

from trunkline.errors import FailedError
from trunkline.output import confirm


class Terminal(io.StringIO):
    """What somebody types on a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("typed", ["", "\n", "n\n", "yesterday\n"])
def test_nothing_but_yes_is_yes(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    """Nothing at all is Ctrl-D."""
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    with pytest.raises(FailedError, match="nothing was changed"):
        confirm("Go on?", yes=False)
    monkeypatch.setattr("sys.stdin", Terminal("Yes\n"))
    confirm("Go on?", yes=False)
